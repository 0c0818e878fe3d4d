package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"

	"parfait/internal/rescue"
	"parfait/internal/sshsig"
	"parfait/merge"
	"parfait/problem"
)

// namespace is what receipts are signed for: no signature that a key made for something else passes for one.
const namespace = "parfait"

// openKey opens a key to sign with, and asks for its passphrase where there is a terminal.
func (a *app) openKey(ctx context.Context, file string) (*sshsig.Key, error) {
	k, err := sshsig.OpenKey(home(file), func(what string) ([]byte, error) {
		if !a.inTTY || !a.errTTY {
			return nil, errors.New("there is no terminal to ask for it")
		}
		return a.secret(ctx, what)
	})
	if interrupted(ctx) {
		return nil, &fault{exit: ExitInterrupted, what: "interrupted: nothing was signed"}
	}
	return k, err
}

// secret reads a line that is not shown. The terminal shows what is typed again afterwards, also after ctrl-c.
func (a *app) secret(ctx context.Context, what string) ([]byte, error) {
	fd := a.in.Fd() // once: who reads on after ctrl-c asks for nothing that may be closed
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	hidden := *before
	hidden.Lflag &^= unix.ECHO
	if err := term.SetState(fd, &hidden); err != nil { // before it is asked for: people type fast
		return nil, err
	}
	defer func() {
		_ = term.Restore(fd, before)
		_, _ = fmt.Fprintln(a.err)
	}()
	if _, err := fmt.Fprintf(a.err, "%s: ", what); err != nil {
		return nil, err
	}
	type read struct {
		b   []byte
		err error
	}
	got := make(chan read, 1)
	rescue.Go(func() {
		b, err := term.ReadPassword(fd)
		got <- read{b, err}
	})
	select {
	case r := <-got:
		return r.b, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// signer signs receipts with a key.
func signer(key *sshsig.Key) func([]byte) ([]byte, error) {
	return func(receipt []byte) ([]byte, error) { return sshsig.Sign(key, namespace, receipt) }
}

// signedBy is who has signed an export.
type signedBy struct {
	Principals []string `json:"principals"` // as the file of signers has them
	Key        string   `json:"key"`        // its fingerprint
}

// readSigners reads a file of signers, if there is one.
func readSigners(file string) (*sshsig.Signers, error) {
	if file == "" {
		return nil, nil
	}
	return sshsig.ReadSigners(home(file))
}

// checkSignature checks the signature of an export's receipt, as it was read, and says who made it. Without signers
// it is only seen that the signature is of this receipt.
func checkSignature(v *merge.Verification, signers *sshsig.Signers) (*signedBy, error) {
	path := filepath.Join(v.Dir, merge.SignatureFile)
	armoured, err := mayRead(path)
	switch {
	case err != nil:
		return nil, err
	case armoured == nil && signers == nil:
		v.Leaves("who says so", "the receipt is not signed")
		return nil, nil
	case armoured == nil:
		v.Found(merge.Check{}, merge.Problem{Code: sshsig.NotSigned, Where: path, What: "the receipt is not signed", Expected: "a signature by one of the signers", Fix: "have it signed: parfait sign " + quoted(v.Dir) + " --key KEYFILE"})
		return nil, nil
	}
	by, err := whoSigned(v.Text, armoured, signers)
	var p problem.Problem
	switch {
	case errors.As(err, &p):
		if p.Where == "" {
			p.Where = path
		}
		v.Found(merge.Check{}, p)
		return nil, nil
	case err != nil:
		return nil, err
	case signers == nil:
		v.Found(merge.Check{What: "a signature with the key " + by.Key, Against: merge.ReceiptFile, By: "SSH"})
		v.Leaves("who signed it", "whose that key is was not asked: --signers FILE")
		return nil, nil
	}
	v.Found(merge.Check{What: "signed by " + strings.Join(by.Principals, ", ") + ", " + by.Key, Against: merge.ReceiptFile, By: "SSH"})
	return by, nil
}

func whoSigned(receipt, armoured []byte, signers *sshsig.Signers) (*signedBy, error) {
	sig, err := sshsig.Parse(armoured)
	if err != nil {
		return nil, err
	}
	if err := sig.Check(namespace, receipt); err != nil {
		return nil, err
	}
	by := &signedBy{Principals: []string{}, Key: ssh.FingerprintSHA256(sig.Key)}
	if signers != nil {
		by.Principals, err = signers.Who(sig.Key, namespace, time.Now())
	}
	return by, err
}

// mayRead reads a file that may not be there: nil then.
func mayRead(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}
