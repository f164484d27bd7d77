package postgres

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/flussi-go/flussi/internal/italian"
)

// defaultMaxConns is how many connections [Open] makes at most.
const defaultMaxConns = 8

// parse reads a location. The error names the parameter that is not valid. It does not wrap the
// error of pgx, which shows the whole location with its password.
func parse(location string) (*pgxpool.Config, error) {
	if fault := mistyped(location); fault != nil {
		return nil, fault
	}
	config, err := pgxpool.ParseConfig(location)
	if err != nil {
		return nil, locationFault(location)
	}
	if !hasParameter(location, "pool_max_conns") {
		config.MaxConns = defaultMaxConns
	}
	if _, set := config.ConnConfig.RuntimeParams["application_name"]; !set {
		config.ConnConfig.RuntimeParams["application_name"] = "flussi"
	}
	return config, nil
}

// mistyped finds mistakes in a location that pgx accepts: it would connect to another server, or
// to another database.
func mistyped(location string) *Fault {
	if isURL(location) && hasUnescaped(location) {
		return &Fault{Err: ErrAccess, Detail: "the user or the password of the URL has /, ?, # or %: write %2F, %3F, %23 or %25",
			Reason: "Nell'indirizzo dell'archivio l'utente o la password contiene un carattere fra «/», «?», «#» e «%»: scriverlo come %2F, %3F, %23 o %25."}
	}
	parameters, _ := parametersOf(location)
	for _, p := range parameters {
		for _, known := range connectionParameters {
			if p.name != known && resembles(p.name, known) {
				fault := &Fault{Err: ErrAccess}
				fault.Detail, fault.Reason = badParameters(p.name)
				fault.Detail += fmt.Sprintf(": is it %q?", known)
				fault.Reason = strings.TrimSuffix(fault.Reason, "correggerlo.") + "scrivere " + italian.Quote(known) + "."
				return fault
			}
		}
	}
	return nil
}

// hasUnescaped reports whether the user or the password of a URL seems to have a character that
// must be escaped. The first @ of such a URL comes after the end of the host.
func hasUnescaped(location string) bool {
	_, rest, _ := strings.Cut(location, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, after := rest[:end], rest[end:]
	if user, _, found := strings.Cut(authority, "@"); found {
		_, err := url.PathUnescape(user)
		return err != nil
	}
	path, _, _ := strings.Cut(after, "?")
	if strings.Contains(path, "@") || strings.Contains(after, "#") {
		return true
	}
	u, err := url.Parse(location)
	if err != nil {
		return strings.Contains(after, "@")
	}
	for name := range u.Query() {
		if strings.Contains(name, "@") {
			return true
		}
	}
	return false
}

// connectionParameters are the parameters of a location that are not settings of the server. If
// one is mistyped, pgx sends it to the server as a setting, and connects without it.
var connectionParameters = []string{
	"host", "port", "dbname", "database", "user", "password", "passfile", "connect_timeout", "sslmode", "sslrootcert", "service",
}

// resembles reports whether two names are equal except for case and one mistake: a character that
// is missing, added or different, or two characters that are swapped.
func resembles(name, other string) bool {
	a, b := strings.ToLower(name), strings.ToLower(other)
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return len(a) <= 1 && len(b) <= 1 || len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
}

// locationFault finds what is wrong with a location that pgx refuses.
func locationFault(location string) *Fault {
	const valid = "postgres://localhost/x"
	fault := &Fault{Err: ErrAccess, Detail: "the location is neither a URL of PostgreSQL nor keywords with values",
		Reason: "L'indirizzo dell'archivio non è valido: indicare un indirizzo come " + italian.Quote("postgres://utente@server/database") + "."}
	if _, err := pgxpool.ParseConfig(valid); err != nil {
		fault.Detail = "a variable of the environment whose name begins with PG is not valid"
		fault.Reason = "Una variabile d'ambiente il cui nome comincia con PG non è valida: correggerla."
		return fault
	}
	parameters, readable := parametersOf(location)
	if isURL(location) && !readable {
		fault.Detail = "the host, the port or the user of the URL is not valid"
		fault.Reason = "Nell'indirizzo dell'archivio il server, la porta o l'utente non sono scritti correttamente: correggerli."
	}
	var bad, together []string
	for _, p := range parameters {
		if _, err := pgxpool.ParseConfig(valid + "?" + url.Values{p.name: {p.value}}.Encode()); err == nil {
			continue
		}
		if slices.Contains(dependent, p.name) {
			together = append(together, p.name)
		} else {
			bad = append(bad, p.name)
		}
	}
	if len(bad) == 0 {
		bad = together
	}
	if len(bad) > 0 {
		fault.Detail, fault.Reason = badParameters(bad...)
	}
	return fault
}

// dependent are parameters that are not valid without others.
var dependent = []string{"sslcert", "sslkey", "sslpassword", "sslnegotiation"}

func isURL(location string) bool {
	return strings.HasPrefix(location, "postgres://") || strings.HasPrefix(location, "postgresql://")
}

// parameter is a part of a location.
type parameter struct{ name, value string }

// parametersOf returns the parameters of a location, as far as it can be read.
func parametersOf(location string) (all []parameter, readable bool) {
	if !isURL(location) {
		return keywords(location)
	}
	u, err := url.Parse(location)
	if err != nil {
		_, query, _ := strings.Cut(location, "?")
		u = &url.URL{RawQuery: query}
	}
	if port := u.Port(); port != "" {
		all = append(all, parameter{"port", port})
	}
	query := u.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		for _, value := range query[name] {
			all = append(all, parameter{name, value})
		}
	}
	return all, err == nil
}

// keywords parses a location such as host=… dbname='…', as libpq does.
func keywords(location string) (all []parameter, readable bool) {
	for rest := strings.TrimSpace(location); rest != ""; rest = strings.TrimSpace(rest) {
		name, after, found := strings.Cut(rest, "=")
		name, rest = strings.TrimSpace(name), strings.TrimLeft(after, " \t\r\n")
		if !found || name == "" {
			return all, false
		}
		var value strings.Builder
		quoted := strings.HasPrefix(rest, "'")
		rest = strings.TrimPrefix(rest, "'")
		ended := !quoted
		for rest != "" {
			c := rest[0]
			rest = rest[1:]
			if quoted && c == '\'' || !quoted && strings.IndexByte(" \t\r\n", c) >= 0 {
				ended = true
				break
			}
			if c == '\\' && rest != "" {
				c, rest = rest[0], rest[1:]
			}
			value.WriteByte(c)
		}
		all = append(all, parameter{name, value.String()})
		if !ended {
			return all, false
		}
	}
	return all, len(all) > 0
}

// hasParameter reports whether a location sets a parameter.
func hasParameter(location, name string) bool {
	parameters, _ := parametersOf(location)
	for _, p := range parameters {
		if p.name == name {
			return true
		}
	}
	return false
}
