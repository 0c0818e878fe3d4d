package history

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"parfait/internal/stage"
)

// How the database is opened. At rest it is one plain file in rollback mode, which everybody may read wherever it
// lies. Who writes on a local disk puts it into WAL mode first, so that a writer that is suspended in the middle holds
// no reader up, and the last one that closes takes it back; elsewhere, where there is no shared memory, writers keep
// a rollback journal. Each opening looks where the file lies: a folder may have been copied. Who looks changes nothing:
// what cannot be read so is read from our own journal.

// access is what a database is opened for.
type access int

const (
	looking  access = iota // to read it
	writing                // to write it, too
	creating               // to write it, also where there is none
	holding                // to keep others from writing it, as it is
	building               // to make it whole, before anybody else knows of it
	inMemory               // nowhere else
)

// How long somebody waits for a database that is locked. Who looks has the journal, too.
const (
	lookerWaits = 250 * time.Millisecond
	olderWaits  = 2 * time.Second // where there is no journal
	writerWaits = 15 * time.Second
)

// patience is how long a database is waited for: what is given, but for tests.
var patience = func(_ string, d time.Duration) time.Duration { return d }

// maxWAL is what a checkpoint leaves of SQLite's -wal file, in bytes.
const maxWAL = 4 << 20

// fileSystemOf is stage.FileSystemOf, but for tests.
var fileSystemOf = stage.FileSystemOf

// opener opens the one connection to a database, and opens it anew where it is to be another.
type opener struct {
	path string

	mu      sync.Mutex
	access  access
	dotfile bool // as what is written is locked, see locks.go
}

// connect opens a file as a database.
func connect(path string, a access) (*sql.DB, *opener) {
	o := &opener{path: path, access: a}
	db := sql.OpenDB(o)
	// data_version is a connection's own: one connection sees every change of the others.
	db.SetMaxOpenConns(1)
	return db, o
}

// become has db opened for something else from its next use on.
func (o *opener) become(a access, db *sql.DB) {
	o.mu.Lock()
	o.access = a
	o.mu.Unlock()
	if c, err := db.Conn(context.Background()); err == nil {
		_ = c.Raw(func(any) error { return driver.ErrBadConn }) // so it is given up
		_ = c.Close()
	}
}

// Driver implements driver.Connector.
func (o *opener) Driver() driver.Driver { return &sqlite.Driver{} }

// Connect implements driver.Connector.
func (o *opener) Connect(ctx context.Context) (driver.Conn, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.dotfile = o.access != inMemory && o.marked()
	switch o.access {
	case inMemory:
		return dial(ctx, o.path, "memory")
	case holding:
		return dial(ctx, o.path, o.vfs("rw"), o.wait(writerWaits))
	case building:
		return dial(ctx, o.path, "rwc", "synchronous(FULL)")
	case looking:
		return o.look(ctx)
	case creating:
		return o.write(ctx, "rwc")
	}
	return o.write(ctx, "rw")
}

// vfs is a mode with SQLite's way to lock.
func (o *opener) vfs(mode string) string {
	if o.dotfile {
		return mode + "&vfs=unix-dotfile"
	}
	return mode
}

// local says whether only this machine has the file, as far as is known.
func (o *opener) local() bool {
	on, err := fileSystemOf(filepath.Dir(o.path))
	return err == nil && on.Local
}

// write opens the database for a writer, in the journal mode that its file system carries. In WAL mode the last
// commits may be lost where the power fails; our own journal has them.
func (o *opener) write(ctx context.Context, mode string) (driver.Conn, error) {
	if o.dotfile {
		o.clear()
		return o.writeAlone(ctx, o.vfs(mode))
	}
	if err := o.locks(true); err != nil {
		return nil, ExplainNoLocks(filepath.Dir(o.path), err)
	}
	if o.local() {
		c, err := dial(ctx, o.path, mode, o.wait(writerWaits), "synchronous(FULL)", "journal_mode(WAL)", fmt.Sprintf("journal_size_limit(%d)", maxWAL), "user_version", "synchronous(NORMAL)")
		if !noSharedMemory(err) {
			return c, err
		}
	}
	return o.writeAlone(ctx, mode)
}

// writeAlone opens the database for a writer who shares no memory with others, and takes over alone what stands in a
// -wal file that was copied along.
func (o *opener) writeAlone(ctx context.Context, mode string) (driver.Conn, error) {
	c, err := dial(ctx, o.path, mode, o.wait(writerWaits))
	if err != nil {
		return nil, err
	}
	// One after the other: the driver sorts those of a name, and to ask for anything else first would share memory.
	for _, p := range []string{"locking_mode(EXCLUSIVE)", "synchronous(FULL)", "journal_mode(DELETE)", "locking_mode(NORMAL)", "user_version"} {
		if _, err := c.(driver.ExecerContext).ExecContext(ctx, "PRAGMA "+p, nil); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	if o.dotfile || !o.local() {
		_ = os.Remove(o.path + "-shm") // nobody uses one here
	}
	return c, nil
}

// rest leaves the database as one plain file, unless others have it open: then at least all that was written is in
// it. Nothing depends on it.
func rest(db *sql.DB) {
	for _, text := range []string{"PRAGMA busy_timeout = 0", "PRAGMA synchronous = FULL"} {
		if _, err := db.Exec(text); err != nil {
			return
		}
	}
	if _, err := db.Exec("PRAGMA journal_mode = DELETE"); err != nil {
		_, _ = db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	}
}

// errElsewhere says that a database is not read where it lies: the file system has no locks, or no memory to share
// what a -wal file needs.
var errElsewhere = errors.New("the database cannot be read without writing it where it lies")

// look opens the database for who changes nothing: not even what was left by a writer that died in the middle of a
// commit.
func (o *opener) look(ctx context.Context) (driver.Conn, error) {
	if o.dotfile || o.locks(false) != nil {
		return nil, errElsewhere
	}
	mode := "rw" // of a file at rest: what is made beside it goes away again
	if o.beside("-wal") || o.beside("-journal") {
		mode = "ro"
	}
	if o.beside("-wal") && !o.local() {
		return nil, errElsewhere
	}
	waits := lookerWaits
	if _, err := os.Lstat(filepath.Join(filepath.Dir(o.path), JournalFile)); err != nil {
		waits = olderWaits
	}
	return dial(ctx, o.path, mode, o.wait(waits), "query_only(1)", "user_version")
}

// beside says whether SQLite has a file of its own beside the database.
func (o *opener) beside(suffix string) bool {
	_, err := os.Lstat(o.path + suffix)
	return err == nil
}

// wait is the pragma for how long to wait for a lock.
func (o *opener) wait(d time.Duration) string {
	return fmt.Sprintf("busy_timeout(%d)", patience(o.path, d).Milliseconds())
}

// dial opens a file and sets pragmas, busy_timeout first and the others in the order of their names.
func dial(ctx context.Context, path, mode string, pragmas ...string) (driver.Conn, error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?mode=" + mode
	for _, p := range pragmas {
		dsn += "&_pragma=" + p
	}
	c, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c.Connect(ctx)
}

// noSharedMemory says whether SQLite failed for want of memory that processes share by way of a file.
func noSharedMemory(err error) bool {
	return slices.Contains([]int{sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_SHMLOCK, sqlite3.SQLITE_IOERR_SHMMAP}, extendedCode(err))
}

// elsewhere says whether the database at path could not be read where it lies for a reason that is no damage: somebody
// holds it, or it would have to be written first, after a death in the middle of a commit, where that is not for us to
// do or impossible.
func elsewhere(path string, err error) bool {
	code := extendedCode(err)
	switch code {
	case sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_READONLY_RECOVERY, sqlite3.SQLITE_READONLY_CANTINIT, sqlite3.SQLITE_READONLY_DIRECTORY:
		return true
	case sqlite3.SQLITE_CANTOPEN:
		return unix.Access(path, unix.R_OK) == nil // the -shm file cannot be made
	}
	return held(err) || noSharedMemory(err) || slices.Contains(lockErrors, code) || errors.Is(err, errElsewhere)
}

// extendedCode is the extended result code of an error of SQLite's, or 0.
func extendedCode(err error) int {
	var se *sqlite.Error
	if errors.As(err, &se) {
		return se.Code()
	}
	return 0
}
