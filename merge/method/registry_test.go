package method

import (
	"fmt"
	"strings"
	"testing"
)

// silent is a method that says nothing of itself but its name.
type silent struct{ taskArithmetic }

func (silent) Info() Info { return Info{Name: "silent", Models: [2]int{1, 0}, Domains: []Domain{Box}} }

func TestRegisterNamesWhatIsMissing(t *testing.T) {
	defer func() {
		said := fmt.Sprint(recover())
		if want := `"silent", a method.silent, does not say its About, Formula`; !strings.Contains(said, want) {
			t.Errorf("Register panics with %q, want %q", said, want)
		}
		if _, known := Get("silent"); known {
			t.Error("a method that says nothing of itself is registered")
		}
	}()
	Register(silent{})
}
