// Package versions creates the table in which goose records the migrations that were run.
package versions

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pressly/goose/v3/database"
)

// Create creates the table, unless it exists. goose would create it, too, but repeats that for 3
// seconds if the user may not create it, or if the database is read-only. Processes may call Create
// at the same time.
func Create(ctx context.Context, db *sql.DB, dialect database.Dialect, table string) error {
	store, err := database.NewStore(dialect, table)
	if err != nil {
		return err
	}
	exists, err := tableExists(ctx, db, store)
	if err != nil || exists {
		return err
	}
	if err := create(ctx, db, store); err != nil {
		if exists, failed := tableExists(ctx, db, store); failed == nil && exists { // another process created it
			return nil
		}
		return err
	}
	return nil
}

// tableExists reports whether the table exists. goose has no query for that on SQLite: there, reading
// a version fails if the table does not exist.
func tableExists(ctx context.Context, db *sql.DB, store database.Store) (bool, error) {
	if s, is := store.(interface {
		TableExists(ctx context.Context, db database.DBTxConn) (bool, error)
	}); is {
		exists, err := s.TableExists(ctx, db)
		if !errors.Is(err, errors.ErrUnsupported) {
			return exists, err
		}
	}
	_, err := store.GetMigration(ctx, db, 0)
	return err == nil || errors.Is(err, database.ErrVersionNotFound), nil
}

// create creates the table with the version 0, as goose does.
func create(ctx context.Context, db *sql.DB, store database.Store) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := store.CreateVersionTable(ctx, tx); err != nil {
		return err
	}
	if err := store.Insert(ctx, tx, database.InsertRequest{Version: 0}); err != nil {
		return err
	}
	return tx.Commit()
}
