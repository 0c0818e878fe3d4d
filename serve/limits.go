package serve

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Limits bound what clients may take.
type Limits struct {
	Connections    int           // at once; 0: 64
	SessionsPerKey int           // at once; 0: 4
	Idle           time.Duration // a connection without a byte either way ends; 0: 1 h
	Handshake      time.Duration // until a session is asked for with an accepted key; 0: 20 s
	InputRate      int           // bytes a second that a session may type; 0: 4096
}

func (l Limits) settled() Limits {
	set := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	set(&l.Connections, 64)
	set(&l.SessionsPerKey, 4)
	set(&l.InputRate, 4096)
	if l.Idle <= 0 {
		l.Idle = time.Hour
	}
	if l.Handshake <= 0 {
		l.Handshake = 20 * time.Second
	}
	return l
}

// counter counts what is open, by a key, up to a limit.
type counter struct {
	mu   sync.Mutex
	most int
	open map[string]int
}

func (c *counter) enter(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[key] >= c.most {
		return false
	}
	c.open[key]++
	return true
}

func (c *counter) leave(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[key]--; c.open[key] <= 0 {
		delete(c.open, key)
	}
}

// turnAway says in SSH's own words why a client may not come in, before any keys are exchanged: a version and one
// message in the clear (RFC 4253, 4.2, 6 and 11.1). Clients show the text.
func turnAway(c net.Conn, why string) {
	const block = 8 // what a packet's length is a multiple of
	message := ssh.Marshal(struct {
		Reason    uint32 `sshtype:"1"`
		Text, Tag string
	}{Reason: 12, Text: why}) // SSH_MSG_DISCONNECT, SSH_DISCONNECT_TOO_MANY_CONNECTIONS
	padding := 2*block - (5+len(message))%block
	packet := binary.BigEndian.AppendUint32([]byte("SSH-2.0-parfait\r\n"), uint32(1+len(message)+padding))
	packet = append(append(append(packet, byte(padding)), message...), make([]byte, padding)...)
	_ = c.SetDeadline(time.Now().Add(time.Second))
	_, _ = c.Write(packet)
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		_, _ = io.CopyN(io.Discard, c, 64<<10) // what the client has sent would otherwise reset the line, and the text be lost
	}
}

// counted is a connection that ends when it is silent for too long, and says when it is closed, once.
// The library's own IdleTimeout is read and written by two goroutines at once.
type counted struct {
	net.Conn
	idle  time.Duration
	once  sync.Once
	close func()
}

func (c *counted) Read(p []byte) (int, error) {
	_ = c.Conn.SetDeadline(time.Now().Add(c.idle))
	return c.Conn.Read(p)
}

func (c *counted) Write(p []byte) (int, error) {
	_ = c.Conn.SetDeadline(time.Now().Add(c.idle))
	return c.Conn.Write(p)
}

// SetDeadline does nothing: deadlines are this connection's own.
func (c *counted) SetDeadline(time.Time) error { return nil }

func (c *counted) Close() error {
	c.once.Do(c.close)
	return c.Conn.Close()
}

// throttle reads at most rate bytes a second after a burst of as much: a hand on a keyboard and a paste
// pass, ten megabytes of keys wait in the client.
type throttle struct {
	ctx    context.Context
	r      io.Reader
	rate   int
	credit float64
	last   time.Time
}

func (t *throttle) Read(p []byte) (int, error) {
	now := time.Now()
	if t.last.IsZero() {
		t.credit = float64(t.rate)
	} else {
		t.credit = min(float64(t.rate), t.credit+now.Sub(t.last).Seconds()*float64(t.rate))
	}
	t.last = now
	if t.credit < 1 {
		wait := time.Duration((1 - t.credit) / float64(t.rate) * float64(time.Second))
		select {
		case <-time.After(max(wait, 10*time.Millisecond)):
		case <-t.ctx.Done():
			return 0, t.ctx.Err()
		}
		return t.Read(p)
	}
	n, err := t.r.Read(p[:min(len(p), int(t.credit))])
	t.credit -= float64(n)
	return n, err
}
