package postgres

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Redact returns a location of [Open] as a program may print it: without passwords and without
// parameters that this package does not know. It returns "" if it is not certain how to read the
// location, since any part of it may then be a password.
func Redact(location string) string {
	parameters, readable := parametersOf(location)
	if !readable || isURL(location) && hasUnescaped(location) {
		return ""
	}
	for _, p := range parameters {
		if isPublic(p.name) && secret.MatchString(p.value) {
			return ""
		}
	}
	if !isURL(location) {
		var shown []string
		for _, p := range parameters {
			if isPublic(p.name) {
				shown = append(shown, p.name+"="+quoteKeyword(p.value))
			}
		}
		return strings.Join(shown, " ")
	}
	u, err := url.Parse(location)
	if err != nil {
		return ""
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return ""
	}
	for name := range query {
		if !isPublic(name) {
			delete(query, name)
		}
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	u.RawQuery, u.Fragment, u.RawFragment = query.Encode(), "", ""
	shown := u.String()
	if secret.MatchString(shown) {
		return ""
	}
	return shown
}

// secret matches what looks like a password within another value, such as that of a keyword whose
// quote does not end.
var secret = regexp.MustCompile(`(?i)pass(?:word|wd|phrase)?\s*(?:=|%3d)`)

// publicParameters are parameters of a location that hold no secrets.
var publicParameters = []string{
	"host", "hostaddr", "port", "dbname", "database", "user", "passfile", "connect_timeout", "application_name", "search_path", "timezone", "TimeZone",
	"sslmode", "sslrootcert", "sslcert", "sslkey", "sslsni", "sslnegotiation", "channel_binding", "require_auth", "target_session_attrs",
	"service", "servicefile", "krbsrvname", "min_protocol_version", "max_protocol_version",
	"default_query_exec_mode", "statement_cache_capacity", "description_cache_capacity",
}

func isPublic(name string) bool {
	return slices.Contains(publicParameters, name) || strings.HasPrefix(name, "pool_")
}

// quoteKeyword writes the value of a keyword.
func quoteKeyword(value string) string {
	if value != "" && !strings.ContainsAny(value, " \t\r\n'\\") {
		return value
	}
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}
