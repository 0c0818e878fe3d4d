package history

import (
	"database/sql"
	"fmt"
	"net/url"
)

// connect opens a file as a database; mode is SQLite's.
func connect(path, mode string) (*sql.DB, error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?mode=" + mode +
		"&_pragma=busy_timeout(15000)&_pragma=synchronous(FULL)"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	// data_version is a connection's own: one connection sees every change of the others.
	db.SetMaxOpenConns(1)
	return db, nil
}
