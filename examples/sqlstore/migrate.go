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
func (d *database) migrate(ctx context.Context) error {
	files, err := fs.Glob(migrations, path.Join("migrations", d.folder(), "[0-9]*.sql"))
	if err != nil {
		return err
	}
	return d.migrateBy(ctx, files)
}

// migrateBy applies those of the migration files that the schema does not have yet.
func (d *database) migrateBy(ctx context.Context, files []string) error {
	version, err := schemaVersion(ctx, d.read())
	if err != nil || version == len(files) {
		return err
	}
	return d.write(ctx, func(t *tx) error {
		// Again, now that nobody else does it at the same time.
		if err := d.alone(ctx, t); err != nil {
			return err
		}
		version, err := schemaVersion(ctx, t)
		if err != nil {
			return err
		}
		if version > len(files) {
			return &Fault{Err: ErrNewer, Code: fmt.Sprintf("version %d", version)}
		}
		if version == 0 {
			if _, err := t.exec(ctx, "CREATE TABLE sqlstore_schema (version INTEGER NOT NULL)"); err != nil {
				return err
			}
		}
		for _, file := range files[version:] {
			version++
			if err := t.run(ctx, file); err != nil {
				return err
			}
			if _, err := t.exec(ctx, "INSERT INTO sqlstore_schema (version) VALUES (?)", version); err != nil {
				return err
			}
		}
		if version < 3 {
			return nil
		}
		return t.insertServices(ctx)
	})
}

// run executes a file of SQL.
func (t *tx) run(ctx context.Context, file string) error {
	script, err := migrations.ReadFile(file)
	if err != nil {
		return err
	}
	if _, err := t.conn.ExecContext(ctx, string(script)); err != nil {
		return fmt.Errorf("%s: %w", path.Base(file), err)
	}
	return nil
}

// schemaVersion returns the version of the schema, 0 if there is none.
func schemaVersion(ctx context.Context, t *tx) (int, error) {
	there, err := t.exists(ctx, t, "sqlstore_schema")
	if err != nil || !there {
		return 0, err
	}
	var version int
	err = t.query(ctx, "SELECT coalesce(max(version), 0) FROM sqlstore_schema", nil, []any{&version}, func() {})
	return version, err
}
