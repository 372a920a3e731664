package config

import (
	"reflect"
	"testing"

	"outrigger/proxy/settings"
)

func TestEveryDefaultIsAllowed(t *testing.T) {
	var found mistakes
	resolve(&Settings{}, Prefix, nil, &found)
	resolve(&settings.Upstream{}, Prefix, nil, &found)
	if len(found.all) > 0 {
		t.Error(found.join())
	}
}

func TestDefaultsAreWhatAnEmptyEnvironmentGives(t *testing.T) {
	loaded, err := Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	upstream := UpstreamDefaults()
	upstream.Name, upstream.URL = loaded.Upstreams[0].Name, loaded.Upstreams[0].URL
	got := ProxyDefaults()
	got.Upstreams = []settings.Upstream{upstream}
	if !reflect.DeepEqual(got, loaded.Config) {
		t.Errorf("got  %+v\nwant %+v", got, loaded.Config)
	}
}
