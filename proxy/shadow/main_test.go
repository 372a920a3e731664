package shadow

import (
	"testing"

	"outrigger/test/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }
