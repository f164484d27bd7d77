// Package storage opens the database of a program: a file of SQLite, or a database of PostgreSQL.
package storage

import (
	"context"
	"regexp"
	"strings"

	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/sqlstore/postgres"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// Store has the methods of [*sqlite.Store] and [*postgres.Store] that programs use.
type Store interface {
	flow.Store
	flow.SaveAndClaimer
	flow.RestorableStore
	pagoinrete.Store
	appio.TurnStore
	// Property stores a value under a name, unless the name has one, and returns the stored value.
	Property(ctx context.Context, name, value string) (string, error)
	// Close refuses new calls, waits for those that run, and closes the connections.
	Close() error
}

var (
	_ Store = (*sqlite.Store)(nil)
	_ Store = (*postgres.Store)(nil)
)

// ErrRestored is [postgres.ErrRestored], which is also [sqlite.ErrRestored]: a store refuses to
// send after its database was restored.
var ErrRestored = sqlite.ErrRestored

var (
	scheme  = regexp.MustCompile(`^\s*([A-Za-z][A-Za-z0-9+.-]*)://`)
	keyword = regexp.MustCompile(`^\s*[A-Za-z_][A-Za-z0-9_]*\s*=`)
)

// Open opens the database at a location, and creates or updates its tables. A URL,
// postgres://user@host/database, or keywords with values, host=… dbname=…, is a location of
// PostgreSQL. Any other location is the path of a file of SQLite, which is created if it does not
// exist. If the name of a file looks like a keyword with a value, write its folder, too: ./a=b.db.
func Open(ctx context.Context, location string) (Store, error) {
	switch found := scheme.FindStringSubmatch(location); {
	case found != nil && found[1] != "postgres" && found[1] != "postgresql":
		return nil, &postgres.Fault{Err: postgres.ErrAccess, Detail: "neither a file nor a location of PostgreSQL",
			Reason: "L'indirizzo dell'archivio non è valido: per PostgreSQL indicare un indirizzo come «postgres://utente@server/database»."}
	case onServer(location):
		// The interface must be nil after an error, and a nil *Store is not.
		store, err := postgres.Open(ctx, location, postgres.Config{})
		if err != nil {
			return nil, err
		}
		return store, nil
	}
	store, err := sqlite.Open(ctx, location, sqlite.Config{})
	if err != nil {
		return nil, err
	}
	return store, nil
}

// onServer reports whether a location is a URL or has keywords: it is not the path of a file.
func onServer(location string) bool {
	return scheme.MatchString(location) || keyword.MatchString(location)
}

// Redact returns a location as a program may print it: see [postgres.Redact]. The path of a file is
// returned as it is, unless it looks like a mistyped location that has a password.
func Redact(location string) string {
	if onServer(location) {
		return postgres.Redact(strings.TrimSpace(location))
	}
	if mistyped.MatchString(location) {
		return ""
	}
	return location
}

// mistyped matches a path that looks like a location with a password.
var mistyped = regexp.MustCompile(`(?i)pass(?:word|wd)?\s*=|:[^/@\s]+@`)
