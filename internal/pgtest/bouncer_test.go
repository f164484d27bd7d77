package pgtest_test

import (
	"net"
	"net/url"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestBouncerListensAtAnAddressOfItsOwn(t *testing.T) {
	server := pgtest.Shared(t)
	database := server.Database(t)
	direct, through := must.Get(url.Parse(database))(t), must.Get(url.Parse(pgtest.Bouncer(t, server, database)))(t)
	require.NotEqual(t, direct.Host, through.Host)
	require.Equal(t, direct.Path, through.Path)
	conn := must.Get(net.Dial("tcp", through.Host))(t)
	require.NoError(t, conn.Close())
}
