package study

import (
	"context"
	"database/sql/driver"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"modernc.org/sqlite"
)

// What tests do to every connection to a history.
var (
	mortals sync.Map // paths of histories: a step before each commit
	hasty   sync.Map // paths of histories: how long to wait for somebody who holds it
)

func init() {
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, dsn string) error {
		name, _, _ := strings.Cut(strings.TrimPrefix(dsn, "file:"), "?")
		path, err := url.PathUnescape(name)
		if err != nil {
			return err
		}
		exec := func(text string) error {
			_, err := conn.ExecContext(context.Background(), text, []driver.NamedValue{})
			return err
		}
		if _, ok := mortals.Load(path); ok {
			conn.(sqlite.HookRegisterer).RegisterCommitHook(func() int32 { step(); return 0 })
		}
		if d, ok := hasty.Load(path); ok {
			return exec(fmt.Sprintf("PRAGMA busy_timeout = %d", d.(time.Duration).Milliseconds()))
		}
		return exec("PRAGMA synchronous = OFF") // no test pulls the plug
	})
}
