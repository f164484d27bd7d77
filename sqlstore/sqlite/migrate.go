package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/google/uuid"
	"github.com/pressly/goose/v3"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
	"github.com/flussi-go/flussi/sqlstore/internal/versions"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations returns the SQL that [Store.Migrate] runs, in the format of goose. A team that
// migrates with a tool of its own runs the files in their order, and lets the tool record them in
// flussi_migrations as goose does. Then it calls [Store.Migrate] once, which does the rest, such as
// recomputing digests.
func Migrations() fs.FS {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return files
}

// latest is the version of the schema.
const latest = 8

// Migrate creates the tables, or updates those of any earlier version. Processes may call it at the
// same time. The error is a [*Fault]: [ErrNewer] if a later version of this package migrated.
func (s *Store) Migrate(ctx context.Context) error {
	err := s.migrate(ctx)
	var explained *flussi.Error
	if err == nil || errors.As(err, &explained) {
		return err
	}
	return engine.Fail(ctx, s.base, "migrate", uuid.Nil, err)
}

func (s *Store) migrate(ctx context.Context) error {
	d := s.database
	if err := d.up(ctx); err != nil {
		return err
	}
	if err := d.beginCounting(ctx); err != nil {
		return err
	}
	if err := engine.AdoptOlder(ctx, s.base); err != nil {
		return err
	}
	return engine.RecomputeDigests(ctx, s.base)
}

// version returns the version of the schema, 0 if there is none.
func (d *database) version(ctx context.Context) (int64, error) {
	var there bool
	err := d.reads.QueryRowContext(ctx, "SELECT count(*) > 0 FROM sqlite_master WHERE name = 'flussi_migrations'").Scan(&there)
	if err != nil || !there {
		return 0, err
	}
	var version int64
	err = d.reads.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM flussi_migrations WHERE is_applied").Scan(&version)
	if err == nil && version > latest {
		err = &Fault{Err: ErrNewer, Detail: fmt.Sprintf("version %d", version)}
	}
	return version, err
}

// up runs the migrations that are missing. If another process runs them at the same time, one of
// the two fails, and then finds the version of the other.
func (d *database) up(ctx context.Context) error {
	if err := d.calls.begin(); err != nil {
		return err
	}
	defer d.calls.end()
	return retryBusy(ctx, d.busy, func() error {
		for {
			before, err := d.version(ctx)
			if err != nil || before == latest {
				return err
			}
			if err = d.upOnce(ctx, d.writes); err == nil {
				continue
			}
			if now, failed := d.version(ctx); failed != nil || now == before {
				return err
			}
		}
	})
}

func (d *database) upOnce(ctx context.Context, db *sql.DB) error {
	if err := versions.Create(ctx, db, goose.DialectSQLite3, "flussi_migrations"); err != nil {
		return err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithTableName("flussi_migrations"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// notMigrated reports whether the text of an error says that a table of the store does not exist, or
// lacks a column.
func notMigrated(text string) bool {
	return strings.Contains(text, "no such table: flussi_") || strings.Contains(text, "no such column: ") ||
		strings.Contains(text, "table flussi_") && strings.Contains(text, " has no column named ")
}
