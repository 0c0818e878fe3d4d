package merge

import (
	"reflect"
	"testing"
)

func TestMovedPaths(t *testing.T) {
	s := Spec{
		Base: "/old/base", Models: []Source{{"a", "/old/models/a"}, {"b", "/older/b"}, {"c", "org/name"}, {"d", "/old"}},
		Method: "fisher", Params: map[string]any{"fisher": map[string]any{"a": "/old/f/a", "b": "/older/f"}},
	}
	got := s.Relocated("/old/", "/new")
	want := Spec{
		Base: "/new/base", Models: []Source{{"a", "/new/models/a"}, {"b", "/older/b"}, {"c", "org/name"}, {"d", "/new"}},
		Method: "fisher", Params: map[string]any{"fisher": map[string]any{"a": "/new/f/a", "b": "/older/f"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("moved: %+v, want %+v", got, want)
	}
	if s.Base != "/old/base" || s.Models[0].Path != "/old/models/a" {
		t.Errorf("the spec itself has changed: %+v", s)
	}
}
