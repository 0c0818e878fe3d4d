package cli

import (
	"net"
	"strings"
	"testing"
)

func TestServeSaysHowToComeIn(t *testing.T) {
	for _, c := range []struct {
		people, operators int
		want              string
	}{
		{1, 0, "1 key, for looking only; role=operator on a key's line"},
		{2, 2, "2 keys, for operators"},
		{3, 1, "3 keys, 1 for operators, 2 for looking only"},
	} {
		if got := keysText(c.people, c.operators); !strings.HasPrefix(got, c.want) {
			t.Errorf("%d keys, %d operators: %q, want %q…", c.people, c.operators, got, c.want)
		}
	}
	if got := comeIn(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2222}); got != "ssh -t -p 2222 127.0.0.1" {
		t.Errorf("on one address: %q", got)
	}
	if got := comeIn(&net.TCPAddr{IP: net.IPv4zero, Port: 2222}); !strings.HasPrefix(got, "ssh -t -p 2222 ") || strings.Contains(got, "0.0.0.0") {
		t.Errorf("on all addresses: %q", got)
	}
}
