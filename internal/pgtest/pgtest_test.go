package pgtest_test

import (
	"net"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
)

func TestServerAnswersAfterACrash(t *testing.T) {
	server := pgtest.Start(t)
	location := must.Get(url.Parse(server.Database(t)))(t)
	require.NotEqual(t, location.String(), server.Database(t))
	server.Restart(t)
	conn := must.Get(net.Dial("tcp", location.Host))(t)
	require.NoError(t, conn.Close())
}
