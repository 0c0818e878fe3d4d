// Package serve puts the explorer behind SSH: everybody who has an authorised key looks at one study
// live, and operators may evaluate, pick and export.
//
// In comes a model of the interface for each session; out goes nothing but its screen: no shell, no
// commands, no forwarding, no files. Evaluations belong to the runner and exports to this process, so
// hanging up stops nothing. The package knows nothing of what the screens show.
package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/ssh"
	"charm.land/wish/v2"
	bm "charm.land/wish/v2/bubbletea"
	gossh "golang.org/x/crypto/ssh"

	"parfait/internal/rescue"
)

// Options say how to serve.
type Options struct {
	Addr    string // host:port; "" for 127.0.0.1:2222
	Keys    string // file of authorised keys
	HostKey string // file; "" for the one in the user's state folder, made at the first start
	Limits  Limits
	Audit   *slog.Logger // who came, what they did; nil for none
	// Open makes the interface of one session. The context ends with the session.
	Open func(ctx context.Context, who Person, term string, environ []string) (tea.Model, []tea.ProgramOption)
}

// The largest window that is drawn; larger ones are drawn in their corner.
const (
	maxColumns = 500
	maxRows    = 200
)

// Server listens until Close.
type Server struct {
	options  Options
	keys     *Keys
	ssh      *ssh.Server
	listener net.Listener
	conns    *counter
	leaving  *counter // connections that are being turned away
	sessions *counter
	programs sync.Map    // *tea.Program → struct{}
	over     atomic.Bool // it is ending
}

// Listen checks the keys, makes the host key where there is none, and opens the port.
func Listen(o Options) (*Server, error) {
	o.Limits = o.Limits.settled()
	if o.Addr == "" {
		o.Addr = "127.0.0.1:2222"
	}
	if o.Audit == nil {
		o.Audit = slog.New(slog.DiscardHandler)
	}
	keys, err := ReadKeys(o.Keys)
	if err != nil {
		return nil, err
	}
	if o.HostKey == "" {
		if o.HostKey, err = defaultHostKey(); err != nil {
			return nil, err
		}
	}
	s := &Server{
		options: o, keys: keys, conns: &counter{most: o.Limits.Connections, open: map[string]int{}},
		leaving:  &counter{most: o.Limits.Connections, open: map[string]int{}},
		sessions: &counter{most: o.Limits.SessionsPerKey, open: map[string]int{}},
	}
	s.ssh, err = wish.NewServer(
		wish.WithHostKeyPath(o.HostKey),
		wish.WithPublicKeyAuth(s.authorise),
		wish.WithMiddleware(bm.MiddlewareWithProgramHandler(s.program), s.admit),
		func(srv *ssh.Server) error {
			srv.ConnCallback = s.connected
			srv.SubsystemHandlers = map[string]ssh.SubsystemHandler{}
			srv.ChannelHandlers = map[string]ssh.ChannelHandler{"session": s.session}
			srv.ConnectionFailedCallback = func(c net.Conn, err error) {
				s.options.Audit.Info("refused", "from", c.RemoteAddr().String(), "why", err.Error())
			}
			return nil
		},
	)
	if err != nil {
		return nil, fmt.Errorf("host key %s: %w", o.HostKey, err)
	}
	if s.listener, err = net.Listen("tcp", o.Addr); err != nil {
		return nil, fmt.Errorf("%w\n  → choose another --addr", err)
	}
	return s, nil
}

// defaultHostKey is the host key's file under the XDG state folder.
func defaultHostKey() (string, error) {
	state := os.Getenv("XDG_STATE_HOME")
	if state == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("no folder for the host key: %w\n  → name a file with --host-key", err)
		}
		state = filepath.Join(home, ".local", "state")
	}
	dir := filepath.Join(state, "parfait")
	return filepath.Join(dir, "ssh_host_ed25519"), os.MkdirAll(dir, 0o700)
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Keys are the people who may come in.
func (s *Server) Keys() *Keys { return s.keys }

// Serve answers until ctx ends; then every session's terminal is restored before the line drops.
func (s *Server) Serve(ctx context.Context) error {
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, rescue.Guard(func() {
		defer close(over)
		s.over.Store(true)
		s.programs.Range(func(p, _ any) bool {
			rescue.Go(p.(*tea.Program).Quit) // one whose line is stuck holds up nobody else
			return true
		})
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
		defer cancel()
		if s.ssh.Shutdown(grace) != nil {
			_ = s.ssh.Close()
		}
	}))
	err := s.ssh.Serve(s.listener)
	if !stop() { // the library returns as soon as nobody can come in any more; those inside are still leaving
		<-over
	}
	if errors.Is(err, ssh.ErrServerClosed) {
		return nil
	}
	return err
}

// lastWords is how long sessions have to put their terminals right when the server ends.
const lastWords = time.Second

type (
	personKey struct{}
	lateKey   struct{}
	modelKey  struct{}
)

func (s *Server) authorise(ctx ssh.Context, key ssh.PublicKey) bool {
	p, ok := s.keys.Lookup(key)
	if ok {
		ctx.SetValue(personKey{}, p)
	}
	return ok
}

// connected counts connections; one too many is told so, and closed before it costs a handshake.
func (s *Server) connected(ctx ssh.Context, c net.Conn) net.Conn {
	if !s.conns.enter("") {
		s.options.Audit.Info("refused", "from", c.RemoteAddr().String(), "why", "too many connections")
		if s.leaving.enter("") {
			turnAway(c, fmt.Sprintf("all %d connections are taken; try again later", s.options.Limits.Connections))
			s.leaving.leave("")
		}
		_ = c.Close()
		return nil
	}
	// The library's own HandshakeTimeout is read and cleared by two goroutines at once.
	late := time.AfterFunc(s.options.Limits.Handshake, rescue.Guard(func() {
		s.options.Audit.Info("refused", "from", c.RemoteAddr().String(), "why", "no session in time")
		_ = c.Close()
	}))
	ctx.SetValue(lateKey{}, late)
	return &counted{Conn: c, idle: s.options.Limits.Idle, close: func() {
		late.Stop()
		s.conns.leave("")
	}}
}

// session is the first thing that can be asked for behind an accepted key; the clock for strangers stops.
func (s *Server) session(srv *ssh.Server, conn *gossh.ServerConn, channel gossh.NewChannel, ctx ssh.Context) {
	if late, ok := ctx.Value(lateKey{}).(*time.Timer); ok {
		late.Stop()
	}
	ssh.DefaultSessionHandler(srv, conn, channel, ctx)
}

// admit lets a session with a terminal and without a command through, and says to others what to do.
func (s *Server) admit(next ssh.Handler) ssh.Handler {
	return func(sess ssh.Session) {
		who, ok := sess.Context().Value(personKey{}).(Person)
		log := s.options.Audit.With("who", who.Name, "key", who.Fingerprint, "role", string(who.Role), "from", sess.RemoteAddr().String())
		refuse := func(why, text string) {
			log.Info("turned away", "why", why)
			wish.Fatalln(sess, "parfait: "+text)
		}
		pty, _, terminal := sess.Pty()
		switch {
		case !ok:
			refuse("no key", "this server knows people by their keys")
			return
		case len(sess.Command()) > 0:
			refuse("command", "there are no commands here, only the explorer: connect without one.\nHeadless commands run where the study is, for example `parfait front STUDY --json`.")
			return
		case !terminal:
			refuse("no terminal", "the explorer needs a terminal: connect with `ssh -t`.\nHeadless commands run where the study is, for example `parfait front STUDY --json`.")
			return
		case pty.Term == "dumb":
			refuse("dumb terminal", "TERM=dumb can show no screen: connect from a terminal that can, or set TERM to what it is.\nHeadless commands run where the study is, for example `parfait front STUDY --json`.")
			return
		case !s.sessions.enter(who.Fingerprint):
			refuse("too many sessions", fmt.Sprintf("this key has %d sessions open already, which is the most; close one.", s.options.Limits.SessionsPerKey))
			return
		}
		defer s.sessions.leave(who.Fingerprint)
		began := time.Now()
		log.Info("came in")
		defer func() { log.Info("left", "after", time.Since(began).Round(time.Second).String()) }()
		next(sess)
		var fault error
		if m, ok := sess.Context().Value(modelKey{}).(interface{ Fault() error }); ok {
			fault = m.Fault()
		}
		switch {
		case fault != nil:
			log.Error("ended by a fault", "why", fault)
			wish.Errorln(sess, "parfait: the explorer ended by a fault of the program; what is recorded is safe, and a run goes on: come in again")
		case s.over.Load():
			wish.Errorln(sess, "parfait: the server was ended; a run that is under way goes on")
		}
	}
}

// program makes the Bubble Tea program of one session.
func (s *Server) program(sess ssh.Session) *tea.Program {
	who, _ := sess.Context().Value(personKey{}).(Person)
	pty, _, _ := sess.Pty()
	model, options := s.options.Open(sess.Context(), who, pty.Term, append(sess.Environ(), "TERM="+pty.Term))
	sess.Context().SetValue(modelKey{}, model)
	options = append(options, bm.MakeOptions(sess)...)
	w, h := window(pty.Window.Width, pty.Window.Height)
	options = append(options,
		tea.WithInput(&throttle{ctx: sess.Context(), r: sess, rate: s.options.Limits.InputRate}),
		tea.WithWindowSize(w, h), tea.WithFilter(filter), tea.WithoutSignalHandler(),
	)
	p := tea.NewProgram(model, options...)
	s.programs.Store(p, struct{}{})
	context.AfterFunc(sess.Context(), rescue.Guard(func() { s.programs.Delete(p) }))
	return p
}

// filter keeps windows drawable and sessions from suspending the server.
func filter(_ tea.Model, msg tea.Msg) tea.Msg {
	switch m := msg.(type) {
	case tea.SuspendMsg:
		return tea.ResumeMsg{}
	case tea.WindowSizeMsg:
		m.Width, m.Height = window(m.Width, m.Height)
		return m
	}
	return msg
}

// window bounds a size that a client claims; 0×0 means that it does not know.
func window(w, h int) (int, int) {
	if w <= 0 || h <= 0 {
		return 80, 24
	}
	return min(w, maxColumns), min(h, maxRows)
}
