package pgtest_test

import (
	"io"
	"net"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
)

func TestCopyMakesAnotherDatabase(t *testing.T) {
	server := pgtest.Shared(t)
	database := server.Database(t)
	copied := server.Copy(t, database, server)
	assert.NotEqual(t, database, copied)
	server.Drop(t, database)
	server.Drop(t, server.Copy(t, copied, server)) // it is there without the first
}

func TestCutProxyTakesNewConnections(t *testing.T) {
	proxy := pgtest.NewProxy(t, pgtest.Shared(t).Database(t))
	address := must.Get(url.Parse(proxy.URL))(t).Host
	for range 2 {
		conn := must.Get(net.Dial("tcp", address))(t)
		must.Get(conn.Write([]byte{0, 0, 0, 8, 4, 210, 22, 47}))(t) // asks whether the server has TLS
		answer := make([]byte, 1)
		must.Get(io.ReadFull(conn, answer))(t)
		assert.Equal(t, 1, proxy.Cut())
		_, err := io.ReadFull(conn, answer)
		require.Error(t, err)
		require.NoError(t, conn.Close())
	}
	assert.Zero(t, proxy.Cut())
}
