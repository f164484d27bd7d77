package pgtest_test

import (
	"net"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
)

func TestStandbyAnswersAfterItTookOver(t *testing.T) {
	primary := pgtest.Start(t)
	standby, there := pgtest.Standby(t, primary, primary.Database(t))
	standby.Promote(t)
	conn := must.Get(net.Dial("tcp", must.Get(url.Parse(there))(t).Host))(t)
	require.NoError(t, conn.Close())
}
