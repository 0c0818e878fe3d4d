package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/cobra"

	"parfait/internal/rescue"
	"parfait/merge"
	"parfait/serve"
	"parfait/study"
	"parfait/tui"
)

func (a *app) serveCommand() *cobra.Command {
	var o serve.Options
	cmd := a.onStudy(&cobra.Command{
		Use:   "serve",
		Short: "Show the study to others over SSH",
		Long: "Serve the explorer over SSH. Everybody whose public key is in the file of authorised keys sees the study live. A key is a viewer's, who looks and asks what if, unless its line says role=operator, in its options or its comment: an operator also evaluates, picks and exports.\n\n" +
			"There is nothing else behind this door: no shell, no commands, no forwarding, no files. What people do stands in logs/serve.log of the study. Evaluations belong to the runner and exports to this process: hanging up stops nothing.",
		Example: "parfait serve my.study --authorized-keys ~/.ssh/authorized_keys\nssh -t -p 2222 localhost",
	}, opened, func(cmd *cobra.Command, s *study.Study, snap *study.Snapshot) error {
		if _, _, err := net.SplitHostPort(o.Addr); err != nil {
			return usage("such as 127.0.0.1:2222, or 0.0.0.0:2222 for all networks", "--addr: expected HOST:PORT, found %q", o.Addr)
		}
		if o.Limits.Connections < 1 || o.Limits.SessionsPerKey < 1 || o.Limits.Idle <= 0 {
			return usage("", "--connections, --sessions and --idle: expected more than 0, found %d, %d and %s", o.Limits.Connections, o.Limits.SessionsPerKey, o.Limits.Idle)
		}
		return a.serve(cmd.Context(), s, o)
	})
	f := cmd.Flags()
	f.StringVar(&o.Addr, "addr", "127.0.0.1:2222", "the `ADDRESS` to listen on; 0.0.0.0:2222 for all networks")
	f.StringVar(&o.Keys, "authorized-keys", "", "the `FILE` of the public keys that may come in, as OpenSSH has it (needed)")
	f.StringVar(&o.HostKey, "host-key", "", "the `FILE` of the private host key (default: made once under the XDG state folder)")
	f.IntVar(&o.Limits.Connections, "connections", 64, "at most `N` connections at once")
	f.IntVar(&o.Limits.SessionsPerKey, "sessions", 4, "at most `N` sessions of one key at once")
	f.DurationVar(&o.Limits.Idle, "idle", time.Hour, "end a connection that is silent for `TIME`")
	if err := cmd.MarkFlagRequired("authorized-keys"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

func (a *app) serve(ctx context.Context, s *study.Study, o serve.Options) error {
	logs := filepath.Join(s.Dir(), "logs")
	err := os.MkdirAll(logs, 0o755)
	var file *os.File
	if err == nil {
		file, err = os.OpenFile(filepath.Join(logs, "serve.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	}
	if err != nil {
		return &fault{exit: exitOf(err), what: "nobody is let in without a log of it", err: err, fix: "have whoever owns the study serve it, or serve a copy"}
	}
	defer func() { _ = file.Close() }()
	o.Audit = slog.New(slog.NewTextHandler(file, nil))
	from := &served{Study: s, server: ctx}
	o.Open = func(session context.Context, who serve.Person, _ string, environ []string) (tea.Model, []tea.ProgramOption) {
		role := tui.Viewer
		if who.Role == serve.Operator {
			role = tui.Operator
		}
		return tui.New(session, from, tui.Options{
			Who: who.Name, Role: role, Environ: environ, Remote: true,
			Audit: func(what string) { o.Audit.Info("did", "who", who.Name, "key", who.Fingerprint, "what", what) },
		}), nil
	}
	srv, err := serve.Listen(o)
	if err != nil {
		return err
	}
	people, operators := srv.Keys().Count()
	if a.json {
		if err := a.printJSON(a.out, map[string]any{"study": s.Dir(), "addr": srv.Addr().String(), "keys": people, "operators": operators}); err != nil {
			return err
		}
	} else if _, err := fmt.Fprintf(a.out, "serving %s on %s; ctrl-c ends it\n  %s\n  to come in: %s\n", shown(s.Dir()), srv.Addr(), keysText(people, operators), comeIn(srv.Addr())); err != nil {
		return err
	}
	err = srv.Serve(ctx)
	from.exports.Wait() // which have been cancelled: nothing of them is left behind
	return err
}

// keysText says who may come in.
func keysText(people, operators int) string {
	keys := count(people, "key")
	switch operators {
	case 0:
		return keys + ", for looking only; role=operator on a key's line lets its owner evaluate, pick and export"
	case people:
		return keys + ", for operators, who evaluate, pick and export"
	}
	return fmt.Sprintf("%s, %d for operators, %d for looking only", keys, operators, people-operators)
}

// comeIn is what to type on another machine; on every address of this one, by its name.
func comeIn(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "ssh -t " + addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	return "ssh -t -p " + port + " " + host
}

// served is a study whose exports belong to the server: a session that hangs up leaves its export at work.
type served struct {
	*study.Study
	server  context.Context
	exports rescue.Group
}

// Export runs until it is done, somebody cancels it, or the server ends. The explorer's context does not
// end with its session, so that hanging up stops nothing.
func (s *served) Export(ctx context.Context, r study.ExportRequest, progress func(merge.Progress)) (x study.Export, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(s.server, rescue.Guard(cancel))
	defer stop()
	over := make(chan struct{})
	s.exports.Go(func() {
		defer close(over)
		err = rescue.Call(func() (err error) { x, err = s.Study.Export(ctx, r, progress); return err })
	})
	<-over
	return x, err
}
