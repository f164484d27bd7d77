package postgres

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// defaultMaxConns is how many connections [Open] makes at most.
const defaultMaxConns = 8

// parse reads a location. The error names the parameter at fault, and no password.
func parse(location string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(location)
	if err != nil {
		detail := "the location is not valid"
		var refused *pgconn.ParseConfigError
		if !errors.As(err, &refused) { // of the pool: it names its parameter, such as pool_max_conns
			if name := poolParameter(err.Error()); name != "" {
				detail = "parameter " + name + " is not valid"
			}
		} else if name := badParameter(location); name != "" {
			detail = "parameter " + name + " is not valid"
		}
		return nil, &Fault{Err: ErrAccess, Detail: detail, Cause: err,
			Reason: "L'indirizzo dell'archivio non è valido: controllare «" + strings.TrimSuffix(strings.TrimPrefix(detail, "parameter "), " is not valid") + "»."}
	}
	if !strings.Contains(location, "pool_max_conns") {
		config.MaxConns = defaultMaxConns
	}
	if _, set := config.ConnConfig.RuntimeParams["application_name"]; !set {
		config.ConnConfig.RuntimeParams["application_name"] = "flussi"
	}
	return config, nil
}

// poolParameter returns the pool's parameter that an error is about.
func poolParameter(text string) string {
	for _, name := range []string{
		"pool_max_conns", "pool_min_conns", "pool_min_idle_conns", "pool_max_conn_lifetime_jitter", "pool_max_conn_lifetime",
		"pool_max_conn_idle_time", "pool_health_check_period", "pool_ping_timeout",
	} {
		if strings.Contains(text, name) {
			return name
		}
	}
	return ""
}

// badParameter returns the parameter without which a location would be valid, or "".
func badParameter(location string) string {
	_, query, found := strings.Cut(location, "?")
	if !found {
		return ""
	}
	for _, pair := range strings.Split(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if _, err := pgconn.ParseConfig("postgres://localhost/x?" + pair); err != nil {
			return fmt.Sprintf("%.40q", name)
		}
	}
	return ""
}
