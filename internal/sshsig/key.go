package sshsig

import (
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"parfait/problem"
)

// Key is a key to sign with. Close it.
type Key struct {
	ssh.Signer
	from io.Closer // the agent that holds it, or nil
}

// Close leaves the agent, if there is one.
func (k *Key) Close() error {
	if k.from == nil {
		return nil
	}
	return k.from.Close()
}

// OpenKey finds the key that a file names: a private key, which ask gives the passphrase for where it has one; or a
// public key whose private half an agent (SSH_AUTH_SOCK) holds, or the file beside it without .pub. A key with a
// passphrase is looked for at the agent first.
func OpenKey(file string, ask func(what string) ([]byte, error)) (*Key, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		if e := (*fs.PathError)(nil); errors.As(err, &e) && !errors.Is(err, fs.ErrNotExist) {
			return nil, badKey(file, "it cannot be read: "+e.Err.Error(), "a private key, or the public half of one that an agent holds", "")
		}
		return nil, err
	}
	public, _, _, _, notPublic := ssh.ParseAuthorizedKey(b)
	if notPublic == nil {
		return publicKey(file, public, ask)
	}
	if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		return nil, badKey(file, "others may read this private key", "a key that only its owner can read", "chmod 600 "+file)
	}
	raw, err := ssh.ParseRawPrivateKey(b)
	if locked := (*ssh.PassphraseMissingError)(nil); errors.As(err, &locked) {
		if k, ok := held(file, locked.PublicKey); ok {
			return k, nil
		}
		raw, err = unlocked(file, b, ask)
		if err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, badKey(file, "it is not a private key: "+err.Error(), "a key that ssh-keygen makes, such as ~/.ssh/id_ed25519", "")
	}
	s, err := ssh.NewSignerFromKey(raw)
	if err == nil {
		err = usable(s.PublicKey())
	}
	if err != nil {
		return nil, badKey(file, err.Error(), "an Ed25519, ECDSA or RSA key", "make one: ssh-keygen -t ed25519")
	}
	return &Key{Signer: s}, nil
}

// publicKey finds the private half of a key.
func publicKey(file string, public ssh.PublicKey, ask func(string) ([]byte, error)) (*Key, error) {
	if err := usable(public); err != nil {
		return nil, badKey(file, err.Error(), "an Ed25519, ECDSA or RSA key", "make one: ssh-keygen -t ed25519")
	}
	if k := fromAgent(public); k != nil {
		return k, nil
	}
	if private, ok := strings.CutSuffix(file, ".pub"); ok {
		if _, err := os.Stat(private); err == nil {
			return OpenKey(private, ask)
		}
	}
	why := "no agent is running (SSH_AUTH_SOCK) that could hold its private half"
	if os.Getenv("SSH_AUTH_SOCK") != "" {
		why = "the agent does not hold its private half"
	}
	return nil, badKey(file, "this is a public key, and "+why, "a private key, or an agent that holds it", "ssh-add it, or give the private key")
}

// held is a key with a passphrase, where an agent has it unlocked.
func held(file string, public ssh.PublicKey) (*Key, bool) {
	if public == nil {
		b, err := os.ReadFile(file + ".pub")
		if err != nil {
			return nil, false
		}
		if public, _, _, _, err = ssh.ParseAuthorizedKey(b); err != nil {
			return nil, false
		}
	}
	k := fromAgent(public)
	return k, k != nil
}

// fromAgent is a key that the agent holds, or nil.
func fromAgent(public ssh.PublicKey) *Key {
	socket := os.Getenv("SSH_AUTH_SOCK")
	if socket == "" {
		return nil
	}
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil
	}
	signers, _ := agent.NewClient(conn).Signers()
	for _, s := range signers {
		if bytes.Equal(s.PublicKey().Marshal(), public.Marshal()) {
			return &Key{s, conn}
		}
	}
	_ = conn.Close()
	return nil
}

// unlocked asks for the passphrase of a key, three times at most.
func unlocked(file string, b []byte, ask func(string) ([]byte, error)) (any, error) {
	for range 3 {
		phrase, err := ask("passphrase of " + file)
		if err != nil {
			return nil, problem.Problem{
				Code: BadKey, Where: file, What: "the key has a passphrase: " + err.Error(), Err: err,
				Expected: "a terminal to ask for it at, or an agent that holds the key", Fix: "ssh-add " + file,
			}
		}
		raw, err := ssh.ParseRawPrivateKeyWithPassphrase(b, phrase)
		clear(phrase)
		if !errors.Is(err, x509.IncorrectPasswordError) {
			return raw, err
		}
	}
	return nil, badKey(file, "that is not the passphrase of this key", "its passphrase", "")
}

func badKey(file, what, expected, fix string) error {
	return problem.Problem{Code: BadKey, Where: file, What: what, Expected: expected, Fix: fix}
}
