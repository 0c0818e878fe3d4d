package cli

import (
	"os"
	"testing"
)

// A path that does not exist is a model of the hub only where its owner is no folder here.
func TestModelsOfTheFormAreThere(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("models/code", 0o755); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"models/code": true, "models/cod": false, "meta/llama": true, "llama": false, "": false, "models/code/x": false,
	} {
		if err := there(path); (err == nil) != want {
			t.Errorf("%q: %v", path, err)
		}
	}
}

// What a shell would have made of ~ is made of it where there is none.
func TestHome(t *testing.T) {
	t.Setenv("HOME", "/home/ann")
	for path, want := range map[string]string{"~/models/base": "/home/ann/models/base", "~bob/x": "~bob/x", "a/~/b": "a/~/b", "~": "~", "": ""} {
		if got := home(path); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}
