package storage_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/storage"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/sqlstore/postgres"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestOpenTakesPathsForFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("anno=2026", 0o700))
	for _, path := range []string{"massivo.db", "./anno=2026.db", "./anno=2026/massivo.db", "i miei.db", "l'anno.db", "postgres", "a:b.db", "2=1.db", filepath.Join(t.TempDir(), "x=y.db")} {
		store := must.Get(storage.Open(t.Context(), path))(t)
		assert.IsType(t, &sqlite.Store{}, store, path)
		assert.Equal(t, "uno", must.Get(store.Property(t.Context(), "purpose", "uno"))(t))
		assert.Same(t, store, store.Self(), path)
		require.NoError(t, store.Close())
		assert.FileExists(t, path)
		assert.False(t, storage.HoldsPassword(path), path)
	}
}

func TestOpenTakesURLsAndKeywordsForPostgreSQL(t *testing.T) {
	location := pgtest.Shared(t).Database(t)
	t.Chdir(t.TempDir())
	u := must.Get(url.Parse(location))(t)
	keywords := fmt.Sprintf("host=%s port=%s user=postgres dbname = '%s'", u.Hostname(), u.Port(), strings.TrimPrefix(u.Path, "/"))
	for _, location := range []string{location, keywords, "  " + keywords} {
		store := must.Get(storage.Open(t.Context(), location))(t)
		assert.IsType(t, &postgres.Store{}, store, location)
		assert.Same(t, store, store.Self())
		require.NoError(t, store.Close())
	}
	assert.Empty(t, must.Get(os.ReadDir("."))(t), "a file was created")
}

func TestOpenCreatesNoFileForWrongLocations(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, location := range []string{
		"", "postgre://u:segreta@h/d", "Postgres://u:segreta@h/d", "mysql://u:segreta@h/d", "file://segreta", "file:segreta.db",
		"postgres://u:segreta@127.0.0.1:1/d", "postgres://127.0.0.1:1/d?user=u&password=segreta", "postgres://u:se%zzgreta@h/d",
		"postgres://127.0.0.1:1/d?user=u&password=segreta&sslmode=boh", "postgres://127.0.0.1:1/d?password=segreta&pool_max_conns=x",
		"host=127.0.0.1 port=1 dbname=d password=segreta", "host = 127.0.0.1 port=1 password='segreta'", "password=segreta host=127.0.0.1 port=1",
		"host=127.0.0.1 port=1 password='segreta", "host=127.0.0.1 port=boh password=segreta", "dbname=d host=127.0.0.1 port=1 sslmode=boh password=segreta",
		"HOST=127.0.0.1 port=1 password=segreta",
	} {
		store, err := storage.Open(t.Context(), location)
		require.Error(t, err, location)
		assert.Nil(t, store, location)
		assert.NotContains(t, err.Error()+flussi.Explain(err), "segreta", location)
		assert.NotContains(t, err.Error(), "imprevisto", location)
	}
	assert.Empty(t, must.Get(os.ReadDir("."))(t), "a file was created")
}

func TestHoldsPassword(t *testing.T) {
	for location, want := range map[string]bool{
		"massivo.db":       false,
		"la password.db":   false,
		"postgres://h/d":   false,
		"postgres://u@h/d": false,
		"postgresql://u@h:5433/d?sslmode=disable": false,
		"host=h dbname=d user=u":                  false,
		"postgres://u:p@h/d":                      true,
		"postgres://u:@h/d":                       true,
		"postgres://h/d?user=u&password=p":        true,
		"postgres://h/d?user=u&PASSWORD=p":        true,
		"postgres://h/d?pass%77ord=p":             true,
		"postgres://h/d?sslpassword=p":            true,
		"postgres://u:p/q@h/d":                    true,
		"postgres://u:%zz@h/d":                    true,
		"host=h password=p":                       true,
		"password = 'p q' host=h":                 true,
		"host=h sslpassword=p":                    true,
	} {
		assert.Equal(t, want, storage.HoldsPassword(location), location)
	}
}
