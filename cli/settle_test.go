package cli

import "testing"

// What is said to go on with is the command that was given, with the budget it needs.
func TestSettlingAgain(t *testing.T) {
	for want, f := range map[string]focusFlags{
		"parfait run my.study --settle knee --budget 48 --headless":                                          {settle: "knee"},
		"parfait run my.study --settle 'my pick' --budget 48 --headless":                                     {settle: "my pick"},
		"parfait run my.study --settle a --at-least code=0.6 --weights math=1,code=2 --budget 48 --headless": {settle: "a", atLeast: "code=0.6", weights: "math=1,code=2"},
	} {
		if got := f.again("my.study", 48); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
