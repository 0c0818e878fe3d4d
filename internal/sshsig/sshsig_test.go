package sshsig

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"parfait/problem"
)

var message = []byte("{\"what\": \"a receipt\"}\n")

// needs skips a test where the machine lacks OpenSSH's client; CI must have it.
func needs(t *testing.T, commands ...string) {
	t.Helper()
	for _, c := range commands {
		if _, err := exec.LookPath(c); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skipf("needs %s, of OpenSSH's client", c)
		}
	}
}

// must is a value that comes without an error.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// keygen runs ssh-keygen and returns what it says, and whether it was content.
func keygen(t *testing.T, stdin []byte, args ...string) (string, bool) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "ssh-keygen", args...)
	c.Stdin = bytes.NewReader(stdin)
	out, err := c.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), err == nil
}

// newKey makes a key in a folder of its own and returns its file.
func newKey(t *testing.T, passphrase string, kind ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	if out, ok := keygen(t, nil, append([]string{"-q", "-N", passphrase, "-C", "somebody", "-f", file, "-t"}, kind...)...); !ok {
		t.Fatalf("ssh-keygen makes no key: %s", out)
	}
	return file
}

func nobody(string) ([]byte, error) { return nil, errors.New("nobody is there to ask") }

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func public(t *testing.T, key string) string {
	t.Helper()
	return strings.TrimSpace(string(must(os.ReadFile(key + ".pub"))(t)))
}

var kinds = [][]string{{"ed25519"}, {"ecdsa", "-b", "256"}, {"ecdsa", "-b", "384"}, {"ecdsa", "-b", "521"}, {"rsa", "-b", "2048"}}

// What we sign, ssh-keygen verifies, byte for byte in its format; what it signs, we verify.
func TestOpenSSHAgrees(t *testing.T) {
	needs(t, "ssh-keygen")
	for _, kind := range kinds {
		t.Run(strings.Join(kind, ""), func(t *testing.T) {
			file := newKey(t, "", kind...)
			signers := write(t, "me "+public(t, file)+"\n")
			k := must(OpenKey(file, nobody))(t)
			sig := must(Sign(k, "parfait", message))(t)
			if out, ok := keygen(t, message, "-Y", "verify", "-f", signers, "-I", "me", "-n", "parfait", "-s", write(t, string(sig))); !ok {
				t.Errorf("ssh-keygen does not verify ours: %s\n%s", out, sig)
			}
			for _, hash := range []string{"sha512", "sha256"} {
				theirs, ok := keygen(t, message, "-Y", "sign", "-q", "-O", "hashalg="+hash, "-f", file, "-n", "parfait")
				if !ok {
					t.Fatalf("ssh-keygen does not sign: %s", theirs)
				}
				s := must(Parse([]byte(theirs)))(t)
				if err := s.Check("parfait", message); err != nil {
					t.Errorf("%s of ssh-keygen's: %v", hash, err)
				}
				if who, err := must(ReadSigners(signers))(t).Who(s.Key, "parfait", time.Now()); err != nil || len(who) != 1 || who[0] != "me" {
					t.Errorf("signed by %q, %v", who, err)
				}
				if hash == "sha512" && kind[0] == "ed25519" && theirs != string(sig) { // no chance in it
					t.Errorf("ours\n%stheirs\n%s", sig, theirs)
				}
			}
		})
	}
}

// Every byte of a signature matters: with any bit of it turned, it is none, or not of these bytes.
func TestDamagedSignatures(t *testing.T) {
	needs(t, "ssh-keygen")
	k := must(OpenKey(newKey(t, "", "ed25519"), nobody))(t)
	sig := must(Sign(k, "parfait", message))(t)
	text := strings.Join(strings.Split(strings.TrimSpace(string(sig)), "\n")[1:], "")
	blob := must(base64.StdEncoding.DecodeString(strings.TrimSuffix(text, end)))(t)
	for i := range blob {
		bad := bytes.Clone(blob)
		bad[i] ^= 1 << (i % 8)
		s, err := Parse([]byte(begin + "\n" + base64.StdEncoding.EncodeToString(bad) + "\n" + end + "\n"))
		if err == nil {
			err = s.Check("parfait", message)
			if err == nil {
				t.Errorf("a bit of byte %d was turned, and it is still a signature", i)
			}
		}
		if problem.CodeOf(err) == "" {
			t.Errorf("byte %d: %v has no code", i, err)
		}
	}
	for n := range len(sig) - 1 { // the last is a line feed
		if _, err := Parse(sig[:n]); problem.CodeOf(err) != NotASignature {
			t.Fatalf("its first %d bytes: %v", n, err)
		}
	}
}

// A signature is of these bytes, for this use, with a key that may.
func TestWhatASignatureIsNot(t *testing.T) {
	needs(t, "ssh-keygen")
	file := newKey(t, "", "ed25519")
	k := must(OpenKey(file, nobody))(t)
	other := must(Parse(must(Sign(k, "file", message))(t)))(t)
	if err := other.Check("parfait", message); !errors.Is(err, WrongUse) || !strings.Contains(err.Error(), `"file"`) {
		t.Errorf("signed for something else: %v", err)
	}
	s := must(Parse(must(Sign(k, "parfait", message))(t)))(t)
	if err := s.Check("parfait", append([]byte("x"), message...)); !errors.Is(err, Changed) {
		t.Errorf("of other bytes: %v", err)
	}
	if _, ok := keygen(t, nil, "-q", "-s", file, "-I", "id", "-n", "me", file+".pub"); !ok {
		t.Fatal("no certificate was made")
	}
	cert, _, _, _, err := ssh.ParseAuthorizedKey(must(os.ReadFile(file + "-cert.pub"))(t))
	if err != nil {
		t.Fatal(err)
	}
	s.Key = cert
	if err := s.Check("parfait", message); !errors.Is(err, NotASignature) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("by a certificate: %v", err)
	}
}

// RSA signs with SHA-2 only, and SHA-1 is not taken.
func TestNoSHA1(t *testing.T) {
	needs(t, "ssh-keygen")
	k := must(OpenKey(newKey(t, "", "rsa", "-b", "2048"), nobody))(t)
	s := must(Parse(must(Sign(k, "parfait", message))(t)))(t)
	if s.sig.Format != ssh.KeyAlgoRSASHA512 {
		t.Errorf("signed with %s", s.sig.Format)
	}
	old, err := k.Signer.(ssh.AlgorithmSigner).SignWithAlgorithm(bytes.NewReader(make([]byte, 999)), toSign("parfait", "sha512", message), ssh.KeyAlgoRSA)
	if err != nil {
		t.Fatal(err)
	}
	s.sig = *old
	if err := s.Check("parfait", message); !errors.Is(err, NotASignature) || !strings.Contains(err.Error(), "SHA-1") {
		t.Errorf("SHA-1: %v", err)
	}
}

// Lines of allowed signers mean to us what they mean to ssh-keygen: KEY stands for the key that signed, OTHER for
// another one, and each is taken or refused by both.
func TestAllowedSigners(t *testing.T) {
	needs(t, "ssh-keygen")
	file, another := newKey(t, "", "ed25519"), newKey(t, "", "ed25519")
	sig := must(Sign(must(OpenKey(file, nobody))(t), "parfait", message))(t)
	sigFile := write(t, string(sig))
	for _, c := range []struct {
		lines string
		code  problem.Code // "" for good
	}{
		{"me KEY", ""},
		{"# a comment\n\n  me   KEY", ""},
		{"me,you@example.org KEY", ""},
		{`"me" KEY`, ""},
		{`me namespaces="parfait" KEY`, ""},
		{`me namespaces="git,par*" KEY`, ""},
		{`me Namespaces="parfait?,parfait" KEY`, ""},
		{`me namespaces="git,file" KEY`, WrongUse},
		{`me namespaces="*,!parfait" KEY`, WrongUse},
		{`me valid-after="20200101" KEY`, ""},
		{`me valid-after="20200101",valid-before="99990101" KEY`, ""},
		{`me valid-after="99990101" KEY`, NotValidNow},
		{`me valid-before="20200101Z" KEY`, NotValidNow},
		{`me valid-before="202001011200" KEY`, NotValidNow},
		{`me valid-before="20200101120000z",namespaces="parfait" KEY`, NotValidNow},
		{"me valid-before=\"20200101\" KEY\nme KEY", ""},
		{"me OTHER", UnknownSigner},
		{"you OTHER\nme KEY", ""},
		{"me cert-authority KEY", UnknownSigner},
		{"me", BadSigners},
		{"me KEYx", BadSigners},
		{`"me KEY`, BadSigners},
		{`me valid-before="yesterday" KEY`, BadSigners},
		{`me valid-before="20200230" KEY`, BadSigners},
		{`me valid-before=20300101 KEY`, BadSigners},
		{`me valid-after="20300101",valid-before="20200101" KEY`, BadSigners},
		{`me namespaces="a",namespaces="parfait" KEY`, BadSigners},
		{`me agent-forwarding KEY`, BadSigners},
	} {
		lines := strings.ReplaceAll(strings.ReplaceAll(c.lines, "KEY", public(t, file)), "OTHER", public(t, another))
		if c.lines == "me KEYx" {
			lines = "me ssh-ed25519 AAAAx somebody"
		}
		signers := write(t, lines+"\n")
		var who []string
		s, err := ReadSigners(signers)
		if err == nil {
			who, err = s.Who(must(Parse(sig))(t).Key, "parfait", time.Now())
		}
		if got := codeOf(err); got != c.code {
			t.Errorf("%s: %q %v, want %q", c.lines, got, err, c.code)
		}
		if err == nil && !strings.Contains(strings.Join(who, " "), "me") {
			t.Errorf("%s: signed by %q", c.lines, who)
		}
		if c.lines == `me valid-before="20200230" KEY` {
			continue // mktime takes it for 1 March
		}
		if out, ok := keygen(t, message, "-Y", "verify", "-f", signers, "-I", "me", "-n", "parfait", "-s", sigFile); ok != (c.code == "") {
			t.Errorf("%s: ssh-keygen says %v: %s", c.lines, ok, out)
		}
	}
}

func codeOf(err error) problem.Code {
	if l := problem.List(nil); errors.As(err, &l) {
		return l[0].Code
	}
	return problem.CodeOf(err)
}

// All wrong lines are named at once.
func TestAllowedSignersNamesEveryWrongLine(t *testing.T) {
	_, err := parseSigners("signers", []byte("a b\n\nnobody\n"))
	if err == nil || !strings.Contains(err.Error(), "signers:1") || !strings.Contains(err.Error(), "signers:3") {
		t.Errorf("%v", err)
	}
	if _, err := parseSigners("signers", []byte("# nobody\n")); !errors.Is(err, BadSigners) {
		t.Errorf("an empty file: %v", err)
	}
}

// A key with a passphrase needs it, from a person or from an agent.
func TestPassphrases(t *testing.T) {
	needs(t, "ssh-keygen")
	t.Setenv("SSH_AUTH_SOCK", "")
	for _, kind := range [][]string{{"ed25519"}, {"rsa", "-b", "2048", "-m", "PEM"}} {
		file := newKey(t, "open sesame", kind...)
		if _, err := OpenKey(file, nobody); !errors.Is(err, BadKey) || !strings.Contains(err.Error(), "nobody is there to ask") || !strings.Contains(err.Error(), "ssh-add") {
			t.Errorf("%v: nobody knows it: %v", kind, err)
		}
		asked := 0
		k, err := OpenKey(file, func(string) ([]byte, error) {
			asked++
			return []byte([]string{"wrong", "open sesame"}[asked-1]), nil
		})
		if err != nil || asked != 2 {
			t.Fatalf("%v: at the second try: %v, asked %d times", kind, err, asked)
		}
		s := must(Parse(must(Sign(k, "parfait", message))(t)))(t)
		if err := s.Check("parfait", message); err != nil {
			t.Error(err)
		}
		if _, err := OpenKey(file, func(string) ([]byte, error) { return []byte("wrong"), nil }); !errors.Is(err, BadKey) || !strings.Contains(err.Error(), "not the passphrase") {
			t.Errorf("%v: never right: %v", kind, err)
		}
	}
}

// An agent signs with keys whose private half is nowhere else.
func TestAgents(t *testing.T) {
	needs(t, "ssh-keygen", "ssh-agent", "ssh-add")
	dir, err := os.MkdirTemp("", "a") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	agent := exec.CommandContext(t.Context(), "ssh-agent", "-D", "-a", socket)
	out, err := agent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = agent.Process.Kill(); _ = agent.Wait() })
	if _, err := out.Read(make([]byte, 1)); err != nil { // it says where it listens when it does
		t.Fatal(err)
	}
	t.Setenv("SSH_AUTH_SOCK", socket)
	for _, kind := range kinds {
		file := newKey(t, "", kind...)
		if _, err := OpenKey(write(t, public(t, file)+"\n"), nobody); !errors.Is(err, BadKey) || !strings.Contains(err.Error(), "the agent does not hold") {
			t.Errorf("%v: not held: %v", kind, err)
		}
		if k, err := OpenKey(file+".pub", nobody); err != nil || k.from != nil {
			t.Errorf("%v: the private half lies beside it: %v", kind, err)
		}
		if out, err := exec.CommandContext(t.Context(), "ssh-add", "-q", file).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		k := must(OpenKey(file+".pub", nobody))(t)
		sig := must(Sign(k, "parfait", message))(t)
		if out, ok := keygen(t, message, "-Y", "verify", "-f", write(t, "me "+public(t, file)+"\n"), "-I", "me", "-n", "parfait", "-s", write(t, string(sig))); !ok {
			t.Errorf("ssh-keygen does not verify what the agent signed with %v: %s", kind, out)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	}
	// One with a passphrase is not asked for it when the agent has it.
	file := newKey(t, "", "ed25519")
	if out, err := exec.CommandContext(t.Context(), "ssh-add", "-q", file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, ok := keygen(t, nil, "-q", "-p", "-N", "open sesame", "-f", file); !ok {
		t.Fatalf("ssh-keygen sets no passphrase: %s", out)
	}
	if k, err := OpenKey(file, nobody); err != nil || k.from == nil {
		t.Errorf("held by the agent: %v", err)
	}
}

// What is no key to sign with is refused with a reason.
func TestWrongKeys(t *testing.T) {
	needs(t, "ssh-keygen")
	t.Setenv("SSH_AUTH_SOCK", "")
	file := newKey(t, "", "ed25519")
	if _, err := OpenKey(write(t, public(t, file)), nobody); !errors.Is(err, BadKey) || !strings.Contains(err.Error(), "no agent is running") {
		t.Errorf("a public key: %v", err)
	}
	if _, err := OpenKey(write(t, "words"), nobody); !errors.Is(err, BadKey) {
		t.Errorf("words: %v", err)
	}
	if _, err := OpenKey(file+"-not-there", nobody); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
	if err := os.Chmod(file, 0o644); err != nil { //nolint:gosec // that is the mistake
		t.Fatal(err)
	}
	if _, err := OpenKey(file, nobody); !errors.Is(err, BadKey) || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("everybody may read it: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(begin + "\nU1NIU0lH\n" + end))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := Parse(b); err == nil {
			_ = s.Check("parfait", message)
		}
	})
}

func FuzzSigners(f *testing.F) {
	f.Add(`me namespaces="a" ssh-ed25519 AAAA`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSigners("f", []byte(text))
		if err == nil && len(s.lines) == 0 {
			t.Errorf("%q names nobody and is no mistake", text)
		}
	})
}
