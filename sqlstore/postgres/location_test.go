package postgres_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/sqlstore/postgres"
)

// noServer is an address at which nothing listens.
func noServer(t *testing.T) string {
	listener := must.Get(net.Listen("tcp", "127.0.0.1:0"))(t)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

// The password is "segreta" in all locations: requireFault checks that no error shows it.
func TestOpenNamesWhatIsWrongWithALocation(t *testing.T) {
	empty := noServer(t)
	host, port, _ := strings.Cut(empty, ":")
	invalid := func(names string) string {
		return "Nell'indirizzo dell'archivio il parametro " + names + " non è valido: correggerlo."
	}
	const (
		noLocation = "L'indirizzo dell'archivio non è valido: indicare un indirizzo come «postgres://utente@server/database»."
		unescaped  = "Nell'indirizzo dell'archivio l'utente o la password contiene un carattere fra «/», «?», «#» e «%»: scriverlo come %2F, %3F, %23 o %25."
		escape     = "the user or the password of the URL has /, ?, # or %: write %2F, %3F, %23 or %25"
		noHost     = "Nell'indirizzo dell'archivio il server, la porta o l'utente non sono scritti correttamente: correggerli."
	)
	for _, test := range []struct {
		location        string
		class           error
		detail, italian string
	}{
		{"postgres://u:segreta@localhost/x?pool_max_conns=abc", postgres.ErrAccess, `parameter "pool_max_conns" is not valid`, invalid("«pool_max_conns»")},
		{"postgres://u:segreta@localhost/x?pool_max_conns=0", postgres.ErrAccess, `parameter "pool_max_conns" is not valid`, invalid("«pool_max_conns»")},
		{"postgres://u:segreta@localhost/x?pool_ping_timeout=segreta", postgres.ErrAccess, `parameter "pool_ping_timeout" is not valid`, invalid("«pool_ping_timeout»")},
		{"postgresql://u:segreta@localhost/x?sslmode=forse&connect_timeout=presto", postgres.ErrAccess, `parameters "connect_timeout", "sslmode" are not valid`,
			"Nell'indirizzo dell'archivio i parametri «connect_timeout» e «sslmode» non sono validi: correggerli."},
		{"postgres://u:segreta@localhost/x?sslrootcert=/manca/ca.pem&sslmode=verify-full", postgres.ErrAccess, `parameter "sslrootcert" is not valid`, invalid("«sslrootcert»")},
		{"postgres://u:segreta@localhost/x?sslcert=/manca/c.pem", postgres.ErrAccess, `parameter "sslcert" is not valid`, invalid("«sslcert»")},
		{"host=localhost password=segreta dbname=x pool_max_conns=abc", postgres.ErrAccess, `parameter "pool_max_conns" is not valid`, invalid("«pool_max_conns»")},
		{`host = localhost password = 'se\'greta segreta' port=molti`, postgres.ErrAccess, `parameter "port" is not valid`, invalid("«port»")},
		{"host=localhost password=segreta target_session_attrs=migliore", postgres.ErrAccess, `parameter "target_session_attrs" is not valid`, invalid("«target_session_attrs»")},
		{"postgres://u:segreta@[/flussi", postgres.ErrAccess, "the host, the port or the user of the URL is not valid", noHost},
		{"postgres://u:segreta@localhost:porta/flussi", postgres.ErrAccess, "the host, the port or the user of the URL is not valid", noHost},
		{"postgres://u:segreta%zz@localhost/flussi", postgres.ErrAccess, escape, unescaped},
		{"postgres://u:segreta/1@localhost/flussi", postgres.ErrAccess, escape, unescaped},
		{"postgres://u:12/segreta@localhost/flussi", postgres.ErrAccess, escape, unescaped},
		{"postgres://u:segreta#1@localhost/flussi", postgres.ErrAccess, escape, unescaped},
		{"postgres://u:12#segreta@localhost/flussi", postgres.ErrAccess, escape, unescaped},
		{"postgres://u:12?segreta@localhost/flussi", postgres.ErrAccess, escape, unescaped},
		{"postgres://u:segreta?1@localhost/flussi", postgres.ErrAccess, escape, unescaped},
		{"host=localhost password=segreta dbnam=x", postgres.ErrAccess, `parameter "dbnam" is not valid: is it "dbname"?`,
			"Nell'indirizzo dell'archivio il parametro «dbnam» non è valido: scrivere «dbname»."},
		{"host=localhost pasword=segreta dbname=x", postgres.ErrAccess, `parameter "pasword" is not valid: is it "password"?`,
			"Nell'indirizzo dell'archivio il parametro «pasword» non è valido: scrivere «password»."},
		{"hots=localhost password=segreta dbname=x", postgres.ErrAccess, `parameter "hots" is not valid: is it "host"?`,
			"Nell'indirizzo dell'archivio il parametro «hots» non è valido: scrivere «host»."},
		{"postgres://u:segreta@localhost/x?SSLMODE=require", postgres.ErrAccess, `parameter "SSLMODE" is not valid: is it "sslmode"?`,
			"Nell'indirizzo dell'archivio il parametro «SSLMODE» non è valido: scrivere «sslmode»."},
		{"postgres://u:segreta%2F1@" + empty + "/flussi?sslmode=disable&application_name=a@b", postgres.ErrLost, "no answer from " + empty,
			"Il server dell'archivio «" + empty + "» non risponde: verificare che sia attivo e che l'indirizzo sia corretto."},
		{"postgres://" + empty + "/flussi?sslmode=disable&user=u@b&password=segreta/1", postgres.ErrLost, "no answer from " + empty,
			"Il server dell'archivio «" + empty + "» non risponde: verificare che sia attivo e che l'indirizzo sia corretto."},
		{"host=" + host + " port=" + port + " user=u password=segreta#/@1 dbname=flussi sslmode=disable search_path=x role=y", postgres.ErrLost, "no answer from " + empty,
			"Il server dell'archivio «" + empty + "» non risponde: verificare che sia attivo e che l'indirizzo sia corretto."},
		{"postgres://u:segreta@localhost:99999/flussi", postgres.ErrAccess, `parameter "port" is not valid`, invalid("«port»")},
		{"mysql://u:segreta@localhost/flussi", postgres.ErrAccess, "the location is neither a URL of PostgreSQL nor keywords with values", noLocation},
		{"password='segreta", postgres.ErrAccess, "the location is neither a URL of PostgreSQL nor keywords with values", noLocation},
		{"segreta", postgres.ErrAccess, "the location is neither a URL of PostgreSQL nor keywords with values", noLocation},
		{"postgres://u:segreta@" + empty + "/flussi?sslmode=disable", postgres.ErrLost, "no answer from " + empty,
			"Il server dell'archivio «" + empty + "» non risponde: verificare che sia attivo e che l'indirizzo sia corretto."},
		{"host=" + host + " port=" + port + " user=u password=segreta dbname=flussi sslmode=disable", postgres.ErrLost, "no answer from " + empty,
			"Il server dell'archivio «" + empty + "» non risponde: verificare che sia attivo e che l'indirizzo sia corretto."},
		{"host=/manca/segreta.d user=u dbname=flussi", postgres.ErrLost, "", ""},
	} {
		_, err := postgres.Open(t.Context(), test.location, postgres.Config{})
		if test.detail == "" {
			require.ErrorIs(t, err, test.class)
			continue
		}
		fault := requireFault(t, err, test.class)
		assert.Equal(t, test.detail, fault.Detail, test.location)
		assert.Equal(t, test.italian, fault.Italian(), test.location)
		assert.Contains(t, flussi.Explain(err), test.italian)
	}
	t.Setenv("PGSSLMODE", "segreta")
	_, err := postgres.Open(t.Context(), "postgres://localhost/x", postgres.Config{})
	assert.Equal(t, "Una variabile d'ambiente il cui nome comincia con PG non è valida: correggerla.", requireFault(t, err, postgres.ErrAccess).Italian())
}

func TestOpenSaysWhyAServerRefuses(t *testing.T) {
	server := pgtest.Start(t)
	location := server.Database(t)
	admin := newPool(t, location)
	address := must.Get(url.Parse(location))(t).Host
	database := admin.Config().ConnConfig.Database
	execute(t, admin, "CREATE ROLE impiegato LOGIN PASSWORD 'giusta'", "CREATE ROLE pieno LOGIN CONNECTION LIMIT 0", "CREATE DATABASE chiuso",
		"REVOKE CONNECT ON DATABASE chiuso FROM public", "CREATE ROLE povero LOGIN",
		"CREATE TABLE rules (line text)", "INSERT INTO rules VALUES ('host all impiegato 127.0.0.1/32 scram-sha-256'), ('host all all 127.0.0.1/32 trust')")
	execute(t, admin, "COPY rules TO '"+value[string](t, admin, "SHOW hba_file")+"'", "SELECT pg_reload_conf()")
	eventually(t, func() bool { // the rules are in force
		_, err := postgres.Open(t.Context(), strings.Replace(location, "postgres@", "impiegato:segreta@", 1), postgres.Config{})
		return err != nil && strings.Contains(err.Error(), "28P01")
	})
	refused := func(user string) string {
		return "Il server dell'archivio non accetta l'utente «" + user + "»: controllare il nome e la password."
	}
	for name, test := range map[string]struct {
		from, to        string
		class           error
		detail, italian string
	}{
		"wrong password":   {"postgres@", "impiegato:segreta@", postgres.ErrAccess, address + ` refuses user "impiegato"`, refused("impiegato")},
		"no such user":     {"postgres@", "manca:segreta@", postgres.ErrAccess, address + ` refuses user "manca"`, refused("manca")},
		"no such database": {"/" + database, "/manca", postgres.ErrAccess, address + ` has no database "manca"`, "Sul server dell'archivio non c'è il database «manca»: controllarne il nome."},
		"no right": {"postgres@" + address + "/" + database, "povero:segreta@" + address + "/chiuso", postgres.ErrAccess, `user "povero" lacks CONNECT on database "chiuso"`,
			"All'utente «povero» dell'archivio manca il permesso CONNECT sul database «chiuso»: chiederlo a chi gestisce il server."},
		"no name of a database": {"postgres@" + address + "/" + database, "povero:segreta@" + address + "/", postgres.ErrAccess,
			"the location names no database, and " + address + ` has none with the name of user "povero"`,
			"L'indirizzo dell'archivio non indica il database, e sul server non ce n'è uno con il nome dell'utente, «povero»: aggiungere il nome del database (dbname)."},
		"no TLS": {"sslmode=disable", "sslmode=require", postgres.ErrAccess, address + " does not accept TLS, which sslmode requires",
			"Il server dell'archivio «" + address + "» non accetta connessioni cifrate (TLS), richieste da sslmode: chiedere a chi gestisce il server di attivarle, o correggere sslmode nell'indirizzo."},
		"too many connections": {"postgres@", "pieno:segreta@", postgres.ErrBusy, "too many connections", "Il server dell'archivio ha troppe connessioni aperte: riprovare fra poco."},
		"unknown parameter": {"?", "?inventato=segreta&", postgres.ErrAccess, `parameter "inventato" is not valid`,
			"Nell'indirizzo dell'archivio il parametro «inventato» non è valido: correggerlo."},
		"a value that the server refuses": {"?", "?statement_timeout=presto&", postgres.ErrAccess, `parameter "statement_timeout" is not valid`,
			"Nell'indirizzo dell'archivio il parametro «statement_timeout» non è valido: correggerlo."},
	} {
		t.Run(name, func(t *testing.T) {
			at := strings.Replace(location, test.from, test.to, 1)
			require.NotEqual(t, at, location)
			_, err := postgres.Open(t.Context(), at, postgres.Config{})
			fault := requireFault(t, err, test.class)
			assert.Equal(t, test.detail, fault.Detail)
			assert.Equal(t, test.italian, fault.Italian())
		})
	}
	through := pgtest.Bouncer(t, server, location)
	for name, test := range map[string]struct{ from, to, detail string }{
		"no such database":  {"/" + database, "/manca", ` has no database "manca"`},
		"no such user":      {"postgres@", "manca:segreta@", ` refuses user "manca"`},
		"unknown parameter": {"?", "?inventato=segreta&", `parameter "inventato" is not valid`},
	} {
		t.Run("PgBouncer, "+name, func(t *testing.T) {
			_, err := postgres.Open(t.Context(), strings.Replace(through, test.from, test.to, 1), postgres.Config{})
			assert.Contains(t, requireFault(t, err, postgres.ErrAccess).Detail, test.detail)
		})
	}
}

func TestOpenSaysThatACertificateIsNotValid(t *testing.T) {
	certificate := httptest.NewTLSServer(nil)
	defer certificate.Close()
	listener := must.Get(net.Listen("tcp", "127.0.0.1:0"))(t)
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Go(func() { // as PostgreSQL begins TLS
				defer func() { _ = connection.Close() }()
				if _, err := io.ReadFull(connection, make([]byte, 8)); err == nil {
					_, _ = connection.Write([]byte("S"))
					_ = tls.Server(connection, certificate.TLS).Handshake()
				}
			})
		}
	})
	defer connections.Wait()
	defer func() { require.NoError(t, listener.Close()) }()
	address := listener.Addr().String()
	for _, mode := range []string{"verify-ca", "verify-full"} {
		_, err := postgres.Open(t.Context(), "postgres://u:segreta@"+address+"/flussi?sslmode="+mode, postgres.Config{})
		fault := requireFault(t, err, postgres.ErrAccess)
		assert.Equal(t, "the certificate of "+address+" is not valid for sslmode and sslrootcert", fault.Detail, mode)
		assert.Equal(t, "Il certificato del server dell'archivio «"+address+"» non è valido: controllare sslrootcert e il nome del server nell'indirizzo.", fault.Italian(), mode)
	}
}

func TestOpenUsesTheParametersOfTheLocation(t *testing.T) {
	location := must.Get(url.Parse(pgtest.Shared(t).Database(t)))(t)
	host, port, _ := net.SplitHostPort(location.Host)
	keywords := "host=" + host + " port=" + port + " user=postgres dbname='" + location.Path[1:] + "' sslmode=disable"
	for _, at := range []string{keywords, location.String()} {
		s := open(t, at)
		works(t, s)
		assert.Equal(t, int32(8), s.Pool().Config().MaxConns)
		assert.Equal(t, "flussi", value[string](t, s.Pool(), "SHOW application_name"))
	}
	s := open(t, keywords+" pool_max_conns=3 application_name=altro password=pool_max_conns")
	assert.Equal(t, int32(3), s.Pool().Config().MaxConns)
	assert.Equal(t, "altro", value[string](t, s.Pool(), "SHOW application_name"))
	assert.Equal(t, int32(8), open(t, keywords+" password='pool_max_conns=3'").Pool().Config().MaxConns)
}
