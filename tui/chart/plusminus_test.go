package chart

import "testing"

// In ASCII ± is two characters where the space before it has room for one.
func TestPlusMinus(t *testing.T) {
	for _, c := range []struct {
		glyphs     Glyphs
		text, want string
	}{
		{ASCII, ".870 ±.012", ".870+-.012\n"},
		{ASCII, "(±.1)     ", "(+.1)     \n"},
		{ASCII, "±.1       ", "+.1       \n"},
		{Block, ".870 ±.012", ".870 ±.012\n"},
	} {
		canvas := NewCanvas(10, 1, c.glyphs)
		canvas.Text(0, 0, c.text, Style{})
		if got := canvas.Plain(); got != c.want {
			t.Errorf("%s: %q is drawn as %q, expected %q", c.glyphs, c.text, got, c.want)
		}
	}
}
