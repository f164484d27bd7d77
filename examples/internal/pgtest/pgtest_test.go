package pgtest_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/examples/internal/pgtest"
	"github.com/flussi-go/flussi/internal/must"
)

func TestAServerKeepsItsDatabasesThroughACrash(t *testing.T) {
	server := pgtest.Start(t)
	url := server.Database(t)
	require.NotEqual(t, url, server.Database(t))
	db := must.Get(sql.Open("pgx", url))(t)
	defer db.Close()
	must.Get(db.Exec("CREATE TABLE kept AS SELECT 42 AS answer"))(t)
	server.Restart(t)
	var answer int
	require.NoError(t, db.QueryRow("SELECT answer FROM kept").Scan(&answer))
	require.Equal(t, 42, answer)
}
