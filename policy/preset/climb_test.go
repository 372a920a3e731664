package preset

import "testing"

func TestAPathThatLeadsUpIsKnownInAnySpelling(t *testing.T) {
	for _, path := range []string{
		"/v1/../x", "/..", "..", "/v1/..", "/v1/../", "/v1//../x",
		"/v1/%2e%2e/x", "/v1/%2E%2e/x", "/v1/.%2e/x", "/v1/%2e./x",
		"/v1/..;/x", "/v1/..;a=b/x", "/v1/%2e%2e;/x", "/v1/..%3b/x", "/v1/..%3Ba=1/x",
		`/v1/..\x`, "/v1/..%5cx", "/v1/%5c..%5cx", "/v1/a%5C%2e%2e%5Cx", "/v1/a%2f..%2fx", "/v1/a%2F%2E%2E%2Fx",
		"/v1/%252e%252e/x", "/v1/..%255cx", "/v1/%25252e%25252e/x", "/v1/a%252f..%252fx",
		"/v1/..%20/x", "/v1/%20../x", "/v1/..%00/x", "/v1/..%09/x", "/v1/%0a../x", "/v1/..%7f/x",
		"/v1/%c0%ae%c0%ae/x", "/v1/%c0%ae./x", "/v1/..%c0%afx", "/v1/..%c1%9cx", "/v1/%e0%80%ae%e0%80%ae/x", "/v1/%25c0%25ae./x", "/v1/\xc0\xae./x", "/v1/..\xc0\xafx",
		"/v1/100%/%2e%2e/x", "/v1/%zz/%2e%2e/x", "/v1/%2e%2e/%",
	} {
		if !Climbs(path) {
			t.Errorf("%q is not seen to climb", path)
		}
	}
}

func TestAPathThatOnlyLooksLikeItIsLeftAlone(t *testing.T) {
	for _, path := range []string{
		"", "/", "/v1/models", "/v1/./models", "/v1/...", "/v1/.../x", "/v1/..x", "/v1/x..", "/v1/a..b", "/v1/..x/y", "/v1/x../y",
		"/v1/files/..hidden", "/v1/files/v1.2..3", "/v1/files/a%2Fb", "/v1/models/org%2Fname", "/v1/files/%2e", "/v1/files/a%2e%2eb",
		"/v1/files/100%", "/v1/files/%zz", "/v1/;../x;..", "/v1/x;a=../b", "/v1/models/m%3A..x", "/v1/%E2%80%A5/x", "/v1/.%20./x",
	} {
		if Climbs(path) {
			t.Errorf("%q is seen to climb", path)
		}
	}
}

func FuzzClimbs(f *testing.F) {
	for _, seed := range []string{"/v1/%2e%2e/x", "/v1/..;/x", "%", "%2", "/%c0%ae%c0%ae", "/a%5c..%5cb"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		// Whatever stands before and after it, a segment ".." is found.
		if !Climbs(path+"/../x") || !Climbs("/../"+path) {
			t.Errorf("a climb beside %q is missed", path)
		}
	})
}
