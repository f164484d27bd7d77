package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/flussi-go/flussi/internal/italian"
)

// connectFault says why a connection failed. It returns nil if the context ended before.
func connectFault(err *pgconn.ConnectError) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	c := err.Config
	host := net.JoinHostPort(printable(c.Host), strconv.Itoa(int(c.Port)))
	fault := &Fault{Err: ErrLost, Cause: err}
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		if explainTLS(fault, host) {
			return fault
		}
		fault.Detail = "no answer from " + host
		fault.Reason = "Il server dell'archivio " + italian.Quote(host) + " non risponde: verificare che sia attivo e che l'indirizzo sia corretto."
		return fault
	}
	fault.Code = "SQLSTATE " + server.Code
	parameter := parameterIn(server.Message, c.RuntimeParams)
	database, user := printable(c.Database), printable(c.User)
	if database == "" {
		database = user // as the server assumes
	}
	switch {
	case parameter != "" && slices.Contains([]string{"42704", "22023", "55P02", "42501", "08P01"}, server.Code):
		fault.Err = ErrAccess
		fault.Detail, fault.Reason = badParameters(parameter)
	case strings.HasPrefix(server.Code, "28"), server.Code == "08P01" && pgbouncerRefuses(server.Message, "user", "auth"):
		fault.Err = ErrAccess
		fault.Detail = fmt.Sprintf("%s refuses user %q", host, user)
		fault.Reason = "Il server dell'archivio non accetta l'utente " + italian.Quote(user) + ": controllare il nome e la password."
	case server.Code == "3D000" && c.Database == "":
		fault.Err = ErrAccess
		fault.Detail = fmt.Sprintf("the location names no database, and %s has none with the name of user %q", host, user)
		fault.Reason = "L'indirizzo dell'archivio non indica il database, e sul server non ce n'è uno con il nome dell'utente, " + italian.Quote(user) + ": aggiungere il nome del database (dbname)."
	case server.Code == "3D000", server.Code == "08P01" && pgbouncerRefuses(server.Message, "no such database", "does not exist"):
		fault.Err = ErrAccess
		fault.Detail = fmt.Sprintf("%s has no database %q", host, database)
		fault.Reason = "Sul server dell'archivio non c'è il database " + italian.Quote(database) + ": controllarne il nome."
	case server.Code == "42501":
		fault.Err = ErrAccess
		fault.Detail = fmt.Sprintf("user %q lacks CONNECT on database %q", user, database)
		fault.Reason = missingRight(user, "CONNECT", "sul database", database)
	case server.Code == "53300":
		fault.Err = ErrBusy
		fault.Detail = "too many connections"
		fault.Reason = "Il server dell'archivio ha troppe connessioni aperte: riprovare fra poco."
	default:
		if class := classOf(server.Code); class != nil {
			fault.Err = class
		}
	}
	return fault
}

// explainTLS explains a fault if the connection failed because of TLS.
func explainTLS(fault *Fault, host string) bool {
	var (
		certificate *tls.CertificateVerificationError // sslmode verify-full
		authority   x509.UnknownAuthorityError        // verify-ca
		invalid     x509.CertificateInvalidError
	)
	switch {
	case errors.As(fault.Cause, &certificate), errors.As(fault.Cause, &authority), errors.As(fault.Cause, &invalid):
		fault.Detail = "the certificate of " + host + " is not valid for sslmode and sslrootcert"
		fault.Reason = "Il certificato del server dell'archivio " + italian.Quote(host) + " non è valido: controllare sslrootcert e il nome del server nell'indirizzo."
	case strings.Contains(fault.Cause.Error(), "server refused TLS connection"): // pgx has no value for it
		fault.Detail = host + " does not accept TLS, which sslmode requires"
		fault.Reason = "Il server dell'archivio " + italian.Quote(host) + " non accetta connessioni cifrate (TLS), richieste da sslmode: chiedere a chi gestisce il server di attivarle, o correggere sslmode nell'indirizzo."
	default:
		return false
	}
	fault.Err = ErrAccess
	return true
}

// parameterIn returns the parameter of a connection that a message of the server names. The message
// itself is not shown: it may contain the value, and is in the language of the server.
func parameterIn(message string, parameters map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		for _, written := range []string{`"` + name + `"`, "«" + name + "»", "« " + name + " »", "„" + name + "“", "parameter: " + name} {
			if strings.Contains(message, written) {
				return name
			}
		}
	}
	return ""
}

// pgbouncerRefuses reports whether a message of PgBouncer contains one of the reasons: PgBouncer
// uses one code for all.
func pgbouncerRefuses(message string, reasons ...string) bool {
	return slices.ContainsFunc(reasons, func(reason string) bool { return strings.Contains(message, reason) })
}

// badParameters describes parameters that are not valid.
func badParameters(names ...string) (detail, reason string) {
	var quoted []string
	for i := range names {
		names[i] = printable(names[i])
		quoted = append(quoted, strconv.Quote(names[i]))
	}
	if len(names) == 1 {
		return "parameter " + quoted[0] + " is not valid", "Nell'indirizzo dell'archivio il parametro " + italian.Quote(names[0]) + " non è valido: correggerlo."
	}
	return "parameters " + strings.Join(quoted, ", ") + " are not valid",
		"Nell'indirizzo dell'archivio i parametri " + italian.Quoted(names) + " non sono validi: correggerli."
}

// missingRight says in Italian which rights a user lacks; several are separated by commas.
func missingRight(user, rights, kind, name string) string {
	missing, ask := "manca il permesso", "chiederlo"
	if strings.Contains(rights, ",") {
		missing, ask = "mancano i permessi", "chiederli"
	}
	return fmt.Sprintf("All'utente %s dell'archivio %s %s %s %s: %s a chi gestisce il server.",
		italian.Quote(printable(user)), missing, rights, kind, italian.Quote(printable(name)), ask)
}
