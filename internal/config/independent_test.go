package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// full sets what is a list, a map or a pointer in a Config.
var full = []string{
	"OUTRIGGER_UPSTREAMS=a=https://a.example/v1,b=http://localhost:1", "OUTRIGGER_CLIENT_TOKENS=one,two", "OUTRIGGER_ALLOWED_ORIGINS=https://app.example.com",
	"OUTRIGGER_ALLOWED_HOSTS=h", "OUTRIGGER_FAILOVER=breaker,quota", "OUTRIGGER_UPSTREAM_A_API_KEY=sk-hunter2", "OUTRIGGER_UPSTREAM_A_HEADERS=X-A=hunter2",
	"OUTRIGGER_UPSTREAM_A_QUERY=q=hunter2", "OUTRIGGER_UPSTREAM_A_MODELS=m=n", "OUTRIGGER_PORT=tcp://10.0.0.1:8383", "ALL_PROXY=socks5h://me:hunter2@127.0.0.1:1080",
}

func TestConfig_ASecondLoadSharesNoMemory(t *testing.T) {
	first, err := Load(full)
	if err != nil {
		t.Fatal(err)
	}
	second, err := first.Reload()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(first, second) {
		t.Fatalf("got  %+v\nwant %+v", second, first)
	}
	of := memoryOf(reflect.ValueOf(first), "Config", map[uintptr]string{})
	if len(of) < 15 {
		t.Errorf("only %d places of memory are found: %v", len(of), of)
	}
	for address, path := range memoryOf(reflect.ValueOf(second), "Config", map[uintptr]string{}) {
		if shared := of[address]; shared != "" {
			t.Errorf("%s is %s of the other", path, shared)
		}
	}
}

// memoryOf returns what v leads to that could be changed, by address. The interned texts of
// secrets cannot be.
func memoryOf(v reflect.Value, path string, found map[uintptr]string) map[uintptr]string {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		if v.IsNil() || v.Kind() != reflect.Pointer && v.Len() == 0 {
			return found
		}
		if _, known := found[v.Pointer()]; known && v.Kind() == reflect.Pointer {
			return found
		}
		found[v.Pointer()] = path
	}
	switch v.Kind() {
	case reflect.Pointer:
		memoryOf(v.Elem(), path, found)
	case reflect.Slice:
		for i := range v.Len() {
			memoryOf(v.Index(i), fmt.Sprintf("%s[%d]", path, i), found)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			memoryOf(v.MapIndex(key), path+"["+key.String()+"]", found)
		}
	case reflect.Struct:
		if strings.HasPrefix(v.Type().String(), "unique.Handle") || v.Type().String() == "netip.Prefix" {
			return found
		}
		for i := range v.NumField() {
			memoryOf(v.Field(i), path+"."+v.Type().Field(i).Name, found)
		}
	}
	return found
}

func TestConfig_PrintsNoSecret(t *testing.T) {
	c, err := Load(full)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, c); strings.Contains(text, "hunter2") {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}
