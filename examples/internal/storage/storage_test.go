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
		assert.Equal(t, path, storage.Redact(path))
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

func TestALocationIsShownWithoutItsPassword(t *testing.T) {
	for location, want := range map[string]string{
		"massivo.db":         "massivo.db",
		"la password.db":     "la password.db",
		"postgres://h/d":     "postgres://h/d",
		"postgres://u@h/d":   "postgres://u@h/d",
		"  postgres://u@h/d": "postgres://u@h/d",
		"postgresql://u@h:5433/d?sslmode=disable":        "postgresql://u@h:5433/d?sslmode=disable",
		"host=h dbname=d user=u":                         "host=h dbname=d user=u",
		"host = h dbname='il db' user='l\\'ente'":        "host=h dbname='il db' user='l\\'ente'",
		"postgres://u:segreta@h/d":                       "postgres://u@h/d",
		"postgres://u:@h/d":                              "postgres://u@h/d",
		"postgres://h/d?user=u&password=segreta":         "postgres://h/d?user=u",
		"postgres://h/d?user=u&pass%77ord=segreta":       "postgres://h/d?user=u",
		"postgres://h/d?user=u&sslpassword=segreta":      "postgres://h/d?user=u",
		"postgres://h/d?passfile=/home/u/.pgpass&user=u": "postgres://h/d?passfile=%2Fhome%2Fu%2F.pgpass&user=u",
		"postgres://h/d?options=-c%20app.key%3Dsegreta":  "postgres://h/d",
		"postgres://h/d#segreta":                         "",
		"postgres://h/d?PASSWORD=segreta":                "postgres://h/d",
		"postgres://u:segreta/q@h/d":                     "",
		"postgres://u:%zzsegreta@h/d":                    "",
		"postgres://h/d?password=%zzsegreta":             "",
		"Postgres://u:segreta@h/d":                       "",
		"mysql://u:segreta@h/d":                          "",
		"host=h password=segreta":                        "host=h",
		"password = 'segreta q' host=h":                  "host=h",
		"host=h sslpassword=segreta passfile=/p":         "host=h passfile=/p",
		"host='h password=segreta":                       "",
		"host='h password=segreta port=1'":               "",
		"host=h password='segreta":                       "",
		"d password=segreta host=h":                      "",
		"u:segreta@h/d":                                  "",
	} {
		shown := storage.Redact(location)
		assert.Equal(t, want, shown, location)
		assert.NotContains(t, shown, "segreta", location)
	}
}
