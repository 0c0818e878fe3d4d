package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"

	"parfait/merge"
	"parfait/visible"
)

func (a *app) signCommand() *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use:   "sign OUT",
		Short: "Sign an export's receipt with an SSH key",
		Long: "Compare an export with its receipt and its study, and sign the receipt, which has the hashes of everything else: " + merge.SignatureFile + " beside it, as `ssh-keygen -Y sign -n " + namespace + "` writes it. " +
			"KEYFILE is a private key (Ed25519, ECDSA or RSA), or the public half of one that an agent holds (SSH_AUTH_SOCK); a passphrase is asked for on a terminal. " +
			"Whoever has your public key checks it with `parfait verify OUT --signers FILE`, or, the receipt alone, without parfait: ssh-keygen -Y verify -f FILE -I NAME -n " + namespace + " -s OUT/" + merge.SignatureFile + " < OUT/" + merge.ReceiptFile,
		Example: "parfait sign merged --key ~/.ssh/id_ed25519\n\n# what others check it with: your name and your public key on a line\necho \"me@example.org namespaces=\\\"" + namespace + "\\\" $(cat ~/.ssh/id_ed25519.pub)\" >> signers.txt\nparfait verify merged --signers signers.txt",
		Args:    arguments(1, 1, "an export's folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.sign(cmd.Context(), exportFolder(args[0]), key)
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "the `KEYFILE` to sign with")
	_ = cmd.MarkFlagRequired("key")
	return cmd
}

type signJSON struct {
	Dir       string `json:"dir"`
	Signature string `json:"signature"` // file
	Key       string `json:"key"`       // its fingerprint
}

func (a *app) sign(ctx context.Context, dir, file string) error {
	path := filepath.Join(dir, merge.SignatureFile)
	if exists(path) {
		return &fault{exit: ExitExists, what: dir + " is signed already: nothing is overwritten", fix: "to sign it with another key, remove " + shown(path) + " first"}
	}
	key, err := a.openKey(ctx, file)
	if err != nil {
		return err
	}
	defer func() { _ = key.Close() }()
	v, err := a.compare(ctx, dir, "", merge.VerifyOptions{})
	if err != nil {
		return err
	}
	if len(v.Problems) > 0 {
		return notAsItSays(v)
	}
	sig, err := signer(key)(v.Text)
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(path, sig, 0o644); err != nil {
		return err
	}
	j := signJSON{dir, path, ssh.FingerprintSHA256(key.PublicKey())}
	if a.json {
		return a.printJSON(a.out, j)
	}
	_, err = fmt.Fprintf(a.out, "%s: signed with %s\ncheck it: parfait verify %s --signers FILE\n", visible.Line(path), j.Key, shown(dir))
	return err
}
