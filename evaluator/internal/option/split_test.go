package option

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSplitLine(t *testing.T) {
	for line, want := range map[string][]string{
		"python evaluate.py  --model\t{model}": {"python", "evaluate.py", "--model", "{model}"},
		`a 'b c' "d \"e\" \\ \n" f\ g ''`:      {"a", "b c", `d "e" \ \n`, "f g", ""},
		`'$HOME *' x=~/y a#b k=[1]`:            {"$HOME *", "x=~/y", "a#b", "k=[1]"},
		`über "größe"`:                         {"über", "größe"},
	} {
		got, err := SplitLine(line)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; expected %q", line, got, err, want)
		}
	}
	for line, want := range map[string]string{
		"a | b": `'|'`, "a > b": `'>'`, "a $HOME": `'$'`, `a "$HOME"`: `'$'`, "a `b`": "'`'", "a *.txt": `'*'`, "~/a": `'~'`,
		"a; b": `';'`, "a\nb": `'\n'`, "a 'b": "not closed", `a \`: "escapes nothing", "  ": "expected a program", "": "expected a program",
	} {
		if got, err := SplitLine(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v; expected an error with %s", line, got, err, want)
		}
	}
}

// Quoting and splitting are inverse.
func TestSplitLineUndoesQuoting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		args := rapid.SliceOfN(rapid.String(), 1, 5).Draw(t, "args")
		var quoted []string
		for _, a := range args {
			quoted = append(quoted, "'"+strings.ReplaceAll(a, "'", `'\''`)+"'")
		}
		got, err := SplitLine(strings.Join(quoted, " "))
		if err != nil || !slices.Equal(got, args) {
			t.Fatalf("%q came back as %q, %v", args, got, err)
		}
	})
}

func FuzzSplitLine(f *testing.F) {
	f.Add(`python 'a b' "c" \d`)
	f.Fuzz(func(t *testing.T, line string) {
		args, err := SplitLine(line)
		if (err == nil) == (len(args) == 0) {
			t.Errorf("%q: %q and %v", line, args, err)
		}
	})
}
