//go:build !purego

package kernel

import "testing"

// TestWithoutAssembly runs the tests of results as on a machine without AVX2.
func TestWithoutAssembly(t *testing.T) {
	if !fast {
		return // that is what all the other tests did
	}
	fast = false
	defer func() { fast = true }()
	if got := Implementation(); got != "generic" {
		t.Errorf("Implementation() is %q", got)
	}
	for name, test := range map[string]func(*testing.T){
		"decode": TestDecodeEveryPattern, "encode": TestEncodeRoundsToNearestEven, "finite": TestFinite,
		"combine": TestCombineEveryShape, "bad": TestCombineFindsEveryBadInput, "overflow": TestCombineOverflow,
		"random": TestWordsOfASeed, "words": TestWordsAreFreeOfChunks, "keep": TestKeep, "reduce": TestReductionsAgree,
		"trim": TestTrim, "elect": TestElect,
	} {
		t.Run(name, test)
	}
}
