// Package sshsig signs bytes with SSH keys and checks such signatures, in the format of `ssh-keygen -Y sign`: what one
// signs, the other verifies.
//
// In come keys as OpenSSH keeps them (files, an agent) and files of allowed signers; out go armoured signatures, and
// names. It knows nothing of what is signed.
//
// Source: PROTOCOL.sshsig of OpenSSH, and ssh-keygen(1), ALLOWED SIGNERS.
package sshsig

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"parfait/problem"
)

// What can be wrong with a signature, with a key to sign with, and with a file of allowed signers.
const (
	NotSigned     problem.Code = "not-signed"
	NotASignature problem.Code = "not-a-signature"
	WrongUse      problem.Code = "signature-for-something-else"
	Changed       problem.Code = "signature-of-other-bytes"
	UnknownSigner problem.Code = "unknown-signer"
	NotValidNow   problem.Code = "signer-not-valid-now"
	BadKey        problem.Code = "bad-key"
	BadSigners    problem.Code = "bad-signers"
)

const (
	magic   = "SSHSIG"
	version = 1
	begin   = "-----BEGIN SSH SIGNATURE-----"
	end     = "-----END SSH SIGNATURE-----"
	column  = 70 // letters a line, as ssh-keygen has them
)

// envelope is a signature as it is armoured, behind magic.
type envelope struct {
	Version   uint32
	Key       []byte
	Namespace string
	Reserved  string
	Hash      string
	Signature []byte
}

// signed is what the key signs, behind magic: the hash of the message, and what it is signed for.
type signed struct {
	Namespace string
	Reserved  string
	Hash      string
	Sum       []byte
}

// hashes are those that the format knows.
var hashes = map[string]func([]byte) []byte{
	"sha256": func(b []byte) []byte { s := sha256.Sum256(b); return s[:] },
	"sha512": func(b []byte) []byte { s := sha512.Sum512(b); return s[:] },
}

func toSign(namespace, hash string, message []byte) []byte {
	return append([]byte(magic), ssh.Marshal(signed{Namespace: namespace, Hash: hash, Sum: hashes[hash](message)})...)
}

// Sign signs a message for one use, the namespace, and returns the signature in armour.
func Sign(key *Key, namespace string, message []byte) ([]byte, error) {
	const hash = "sha512"
	sig, err := sign(key.Signer, toSign(namespace, hash, message))
	if err != nil {
		return nil, problem.Problem{Code: BadKey, Where: ssh.FingerprintSHA256(key.PublicKey()), What: "the key does not sign", Err: err}
	}
	blob := append([]byte(magic), ssh.Marshal(envelope{
		Version: version, Key: key.PublicKey().Marshal(), Namespace: namespace, Hash: hash, Signature: ssh.Marshal(sig),
	})...)
	text := base64.StdEncoding.EncodeToString(blob)
	var out strings.Builder
	out.WriteString(begin + "\n")
	for line := range slices.Chunk([]byte(text), column) {
		out.WriteString(string(line) + "\n")
	}
	out.WriteString(end + "\n")
	return []byte(out.String()), nil
}

// sign signs; RSA with SHA-512, for the format forbids SHA-1.
func sign(key ssh.Signer, data []byte) (*ssh.Signature, error) {
	if key.PublicKey().Type() != ssh.KeyAlgoRSA {
		return key.Sign(rand.Reader, data)
	}
	k, ok := key.(ssh.AlgorithmSigner)
	if !ok {
		return nil, fmt.Errorf("an RSA key that knows SHA-1 only")
	}
	return k.SignWithAlgorithm(rand.Reader, data, ssh.KeyAlgoRSASHA512)
}

// Signature is one that was read.
type Signature struct {
	Key       ssh.PublicKey // whose it says it is
	Namespace string        // what it was made for
	hash      string
	sig       ssh.Signature
}

// Parse reads a signature in its armour.
func Parse(armoured []byte) (*Signature, error) {
	bad := func(why string) (*Signature, error) {
		return nil, problem.Problem{Code: NotASignature, What: "it is not an SSH signature: " + why, Expected: "what ssh-keygen -Y sign or parfait sign writes"}
	}
	text, ok := bytes.CutPrefix(bytes.TrimSpace(armoured), []byte(begin))
	text, closed := bytes.CutSuffix(text, []byte(end))
	if !ok || !closed {
		return bad("it is not between " + begin + " and " + end)
	}
	blob, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(text), nil)))
	if err != nil {
		return bad(err.Error())
	}
	var e envelope
	rest, ok := bytes.CutPrefix(blob, []byte(magic))
	if !ok || ssh.Unmarshal(rest, &e) != nil {
		return bad("its parts are not there")
	}
	if e.Version != version {
		return bad(fmt.Sprintf("version %d, where version %d is known", e.Version, version))
	}
	if hashes[e.Hash] == nil {
		return bad(fmt.Sprintf("its hash is %q, where sha256 and sha512 are known", e.Hash))
	}
	s := &Signature{Namespace: e.Namespace, hash: e.Hash}
	if s.Key, err = ssh.ParsePublicKey(e.Key); err != nil {
		return bad("its key: " + err.Error())
	}
	if err := ssh.Unmarshal(e.Signature, &s.sig); err != nil {
		return bad(err.Error())
	}
	return s, nil
}

// Check says whether the key has signed the message for this use. Whose key it is, Signers know.
func (s *Signature) Check(namespace string, message []byte) error {
	if err := usable(s.Key); err != nil {
		return problem.Problem{Code: NotASignature, What: err.Error(), Expected: "a plain Ed25519, ECDSA or RSA key; ssh-keygen -Y verify knows more"}
	}
	if s.Namespace != namespace {
		return problem.Problem{Code: WrongUse, What: fmt.Sprintf("it was signed for %q, and not for %q", s.Namespace, namespace), Expected: "a signature that was made for this: ssh-keygen -Y sign -n " + namespace}
	}
	if s.Key.Type() == ssh.KeyAlgoRSA && s.sig.Format != ssh.KeyAlgoRSASHA512 && s.sig.Format != ssh.KeyAlgoRSASHA256 {
		return problem.Problem{Code: NotASignature, What: fmt.Sprintf("it is of the kind %q", s.sig.Format), Expected: "rsa-sha2-512 or rsa-sha2-256: SHA-1 is broken"}
	}
	if err := s.Key.Verify(toSign(namespace, s.hash, message), &s.sig); err != nil {
		return problem.Problem{Code: Changed, What: "the signature is not of these bytes: they were changed, or it was", Expected: "what " + ssh.FingerprintSHA256(s.Key) + " has signed"}
	}
	return nil
}

// usable says why a key is not one to sign with.
func usable(key ssh.PublicKey) error {
	switch t := key.Type(); {
	case strings.Contains(t, "-cert-"):
		return fmt.Errorf("a certificate (%s) has signed it", t)
	case t == "ssh-dss":
		return fmt.Errorf("the key is a DSA key, which is broken")
	}
	return nil
}
