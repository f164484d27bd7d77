package sqlstore

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"
)

// migrations are numbered files of SQL, of which each makes the next version of the schema.
//
//go:embed migrations
var migrations embed.FS

// migrate brings the schema up to date.
func (d *database) migrate(ctx context.Context, dialect string) error {
	files, err := fs.Glob(migrations, path.Join("migrations", dialect, "*.sql"))
	if err != nil {
		return err
	}
	version, err := d.schemaVersion(ctx)
	if err != nil || version == len(files) {
		return err
	}
	return d.write(ctx, func(t *tx) error {
		if _, err := t.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS sqlstore_schema (version INTEGER NOT NULL)"); err != nil {
			return err
		}
		var version int
		if err := t.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) FROM sqlstore_schema").Scan(&version); err != nil {
			return err
		}
		if version > len(files) {
			return fmt.Errorf("schema version %d", version)
		}
		for i, file := range files[version:] {
			script, err := migrations.ReadFile(file)
			if err != nil {
				return err
			}
			if _, err := t.ExecContext(ctx, string(script)); err != nil {
				return fmt.Errorf("%s: %w", path.Base(file), err)
			}
			if _, err := t.ExecContext(ctx, d.rebind("INSERT INTO sqlstore_schema (version) VALUES (?)"), version+i+1); err != nil {
				return err
			}
		}
		return nil
	})
}

// schemaVersion returns the version of the schema, 0 if there is none.
func (d *database) schemaVersion(ctx context.Context) (int, error) {
	var there, version int
	err := d.reads.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE name = 'sqlstore_schema'").Scan(&there)
	if err != nil || there == 0 {
		return 0, err
	}
	err = d.reads.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) FROM sqlstore_schema").Scan(&version)
	return version, err
}
