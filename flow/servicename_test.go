package flow_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

func TestCheckService(t *testing.T) {
	for name, test := range map[string]struct {
		service string
		err     error
		italian string
	}{
		"a plain name":                {"prova", nil, ""},
		"blanks, capitals and a dash": {"Servizio Tributi – TARI", nil, ""},
		"accents and an apostrophe":   {"Comune di Forlì: l'anagrafe (n° 2)", nil, ""},
		"no-break space inside":       {"Servizio\u00a0Tributi", nil, ""},
		"another script":              {"Тарифы", nil, ""},
		"the longest":                 {strings.Repeat("è", flow.MaxService), nil, ""},
		"empty":                       {"", flussi.ErrEmpty, "Manca il servizio."},
		"blanks":                      {" \t\u00a0", flussi.ErrEmpty, "Manca il servizio."},
		"a line end of Windows":       {"prova\r", flussi.ErrCharacter, "caratteri invisibili"},
		"a line break":                {"prova\ntari", flussi.ErrCharacter, "caratteri invisibili"},
		"a tab":                       {"prova\ttari", flussi.ErrCharacter, "caratteri invisibili"},
		"NUL":                         {"prova\x00", flussi.ErrCharacter, "caratteri invisibili"},
		"DEL":                         {"pro\x7fva", flussi.ErrCharacter, "caratteri invisibili"},
		"next line":                   {"prova\u0085tari", flussi.ErrCharacter, "caratteri invisibili"},
		"a line separator":            {"prova\u2028tari", flussi.ErrCharacter, "caratteri invisibili"},
		"a zero-width space":          {"pro\u200bva", flussi.ErrCharacter, "caratteri invisibili"},
		"a zero-width joiner":         {"pro\u200dva", flussi.ErrCharacter, "caratteri invisibili"},
		"a word joiner":               {"prova\u2060", flussi.ErrCharacter, "caratteri invisibili"},
		"a byte order mark":           {"\ufeffprova", flussi.ErrCharacter, "caratteri invisibili"},
		"a soft hyphen":               {"pro\u00adva", flussi.ErrCharacter, "caratteri invisibili"},
		"a bidirectional mark":        {"\u200fprova", flussi.ErrCharacter, "caratteri invisibili"},
		"a bidirectional override":    {"\u202eavorp\u202c", flussi.ErrCharacter, "caratteri invisibili"},
		"a bidirectional isolate":     {"\u2067prova\u2069", flussi.ErrCharacter, "caratteri invisibili"},
		"a variation selector":        {"prova\ufe0f", flussi.ErrCharacter, "caratteri invisibili"},
		"a blank at the end":          {"prova ", flussi.ErrCharacter, "comincia o finisce con uno spazio"},
		"a blank at the beginning":    {" prova", flussi.ErrCharacter, "comincia o finisce con uno spazio"},
		"a no-break space at the end": {"prova\u00a0", flussi.ErrCharacter, "comincia o finisce con uno spazio"},
		"an em space at the end":      {"prova\u2003", flussi.ErrCharacter, "comincia o finisce con uno spazio"},
		"bytes that are no text":      {"prov\xe0", flussi.ErrCharacter, "caratteri non validi"},
		"too long":                    {strings.Repeat("è", flow.MaxService+1), flussi.ErrLength, "Il nome del servizio ha 256 caratteri: possono essere al massimo 255."},
		"too long by half an emoji":   {strings.Repeat("😀", 127) + "xx", flussi.ErrLength, "256 caratteri"},
	} {
		t.Run(name, func(t *testing.T) {
			err := flow.CheckService(test.service)
			if test.err == nil {
				assert.NoError(t, err)
				return
			}
			assert.ErrorIs(t, err, test.err)
			var value *flussi.ValueError
			require.ErrorAs(t, err, &value)
			assert.Equal(t, "Service", value.Type)
			assert.Contains(t, flussi.Explain(err), test.italian)

			// Nothing is made for such a service, whoever is enabled for it.
			w := newWorld(t)
			service := w.enabledFor(t, test.service)
			before := everythingIn(t, w.store)
			assert.ErrorIs(t, must.Err(service.CreateFlow(t.Context(), operator, test.service, flow.Details{})), test.err)
			_, _, err = service.ImportFlow(t.Context(), operator, test.service, flow.Details{}, flow.DraftRows(draft(1)), flow.AddConfig{})
			assert.ErrorIs(t, err, test.err)
			assert.ErrorIs(t, must.Err(service.SendNewNotification(t.Context(), operator, test.service, draft(1), flow.SendNewConfig{})), test.err)
			assert.ErrorIs(t, must.Err(flow.NewNotification(test.service, citizen(1), operator)), test.err)
			assert.Equal(t, before, everythingIn(t, w.store))
		})
	}
}

// enabledFor returns a service on the world's store whose operator is enabled for some services.
func (w *world) enabledFor(t testing.TB, services ...string) *flow.Service {
	t.Helper()
	return must.Get(flow.NewService(w.store, flow.Permissions{operator.ID: services}, w.senders, flow.ServiceConfig{}))(t)
}

func TestServiceSkeletonIsEqualForSimilarNames(t *testing.T) {
	const name = "Servizio Tributi - l'IMU"
	for what, other := range map[string]string{
		"itself":                       name,
		"lower case":                   strings.ToLower(name),
		"upper case":                   strings.ToUpper(name),
		"double blanks":                "Servizio  Tributi - l'IMU",
		"no-break spaces":              "Servizio\u00a0Tributi - l'IMU",
		"an en dash":                   "Servizio Tributi – l'IMU",
		"an em dash":                   "Servizio Tributi — l'IMU",
		"a minus sign":                 "Servizio Tributi \u2212 l'IMU",
		"a no-break hyphen":            "Servizio Tributi \u2011 l'IMU",
		"a curly apostrophe":           "Servizio Tributi - l’IMU",
		"an opening quote":             "Servizio Tributi - l‘IMU",
		"an acute accent":              "Servizio Tributi - l´IMU",
		"a Cyrillic е":                 "S\u0435rvizio Tributi - l'IMU",
		"a Cyrillic capital Ѕ":         "\u0405ervizio Tributi - l'IMU",
		"Cyrillic capitals":            "Servizio \u0422ributi - l'I\u041cU",
		"a Greek ο":                    "Servizi\u03bf Tributi - l'IMU",
		"Greek capitals":               "Servizio \u03a4ributi - l'\u0399\u039cU",
		"a modifier apostrophe":        "Servizio Tributi - l\u02bcIMU",
		"a prime":                      "Servizio Tributi - l\u2032IMU",
		"a modifier prime":             "Servizio Tributi - l\u02b9IMU",
		"a reversed quote":             "Servizio Tributi - l\u201bIMU",
		"a modifier minus":             "Servizio Tributi \u02d7 l'IMU",
		"a blank in Braille":           "Servizio Tributi\u2800 - l'IMU",
		"an Armenian օ":                "Servizi\u0585 Tributi - l'IMU",
		"a dotted capital I":           "Serv\u0130zio Tributi - l'IMU",
		"full-width letters":           "Ｓervizio Tributi - l'IMU",
		"a zero-width space":           "Serv\u200bizio Tributi - l'IMU",
		"blanks and line ends outside": " Servizio Tributi - l'IMU\r\n",
	} {
		assert.Equal(t, flow.ServiceSkeleton(name), flow.ServiceSkeleton(other), what)
	}
	for _, pair := range [][2]string{
		{"NOTIFICHE", "\u039dOTIFICHE"}, {"città", "citta\u0300"}, {"BANDO", "\u0412A\u039dDO"}, {"POLIZIA", "\u0420OLI\u0396IA"},
	} {
		assert.Equal(t, flow.ServiceSkeleton(pair[0]), flow.ServiceSkeleton(pair[1]), "%q", pair)
	}
	seen := map[string]string{}
	for _, other := range []string{
		name, "Servizio Tributi - l'IMU 2", "Servizio Tributi l'IMU", "ServizioTributi - l'IMU", "Servizio Tributi - IMU",
		"e", "è", "é", "ê", "l", "1", "i", "ì", "0", "o", "ò", "n", "ñ", "rn", "m", "c", "ç", "a", "b", "h", "k", "p", "t", "x", "y", "v", "z",
		"tributi1", "tributi2", "tributi-1", "tributi_1", "tributi.1", "anagrafe", "\u0436", "\u03c9",
	} {
		look := flow.ServiceSkeleton(other)
		assert.Empty(t, seen[look], "%q looks like %q", other, seen[look])
		seen[look] = other
	}
}

func TestServiceThatLooksLikeAnotherIsRefused(t *testing.T) {
	for name, first := range map[string]func(t *testing.T, service *flow.Service){
		"a flow": func(t *testing.T, service *flow.Service) {
			do2(t, service.CreateFlow, taxes, flow.Details{})
		},
		"a notification": func(t *testing.T, service *flow.Service) {
			must.Get(service.SendNewNotification(t.Context(), operator, taxes, draft(1), flow.SendNewConfig{}))(t)
		},
		"an import": func(t *testing.T, service *flow.Service) {
			_, _, err := service.ImportFlow(t.Context(), operator, taxes, flow.Details{}, flow.DraftRows(draft(1)), flow.AddConfig{})
			require.NoError(t, err)
		},
	} {
		t.Run("after "+name, func(t *testing.T) {
			const similar = "Tribut\u0456" // with a Cyrillic і
			w := newWorld(t)
			service := w.enabledFor(t, taxes, similar, "tributi locali")
			first(t, service)
			for call, make := range map[string]func() error{
				"CreateFlow": try2(t, service.CreateFlow, similar, flow.Details{}),
				"ImportFlow": func() error {
					_, _, err := service.ImportFlow(t.Context(), operator, similar, flow.Details{}, flow.DraftRows(draft(2)), flow.AddConfig{})
					return err
				},
				"SendNewNotification": func() error {
					return must.Err(service.SendNewNotification(t.Context(), operator, similar, draft(2), flow.SendNewConfig{}))
				},
			} {
				w.refused(t, flow.ErrSimilarService, func() error {
					err := make()
					assert.Equal(t, "Il servizio «"+similar+"» è simile a «tributi», che esiste già: scrivere il nome esattamente come quello esistente.", flussi.Explain(err), call)
					var refusal *flow.SimilarServiceError
					require.ErrorAs(t, err, &refusal)
					assert.Equal(t, flow.SimilarServiceError{Service: similar, Existing: taxes}, *refusal)
					return err
				})
			}
			do2(t, service.CreateFlow, taxes, flow.Details{})
			do2(t, service.CreateFlow, "tributi locali", flow.Details{})
		})
	}
}

// A name that only looks like that of a service gives no access to it.
func TestAuthorisationComparesExactNames(t *testing.T) {
	w := newWorld(t)
	f := w.prepared(t, 1)
	for _, similar := range []string{"Tributi", "TRIBUTI", "tributi ", " tributi", "tribut\u0456", "tri\u200bbuti"} {
		service := w.enabledFor(t, similar)
		_, err := service.Flow(t.Context(), operator, f.ID)
		assert.ErrorIs(t, err, flussi.ErrNotFound, similar)
		_, err = service.CreateFlow(t.Context(), operator, taxes, flow.Details{})
		assert.ErrorIs(t, err, flussi.ErrForbidden, similar)
		assert.Empty(t, do2(t, service.Flows, flow.FlowFilter{}, flow.Page{}).Flows, similar)
		_, err = w.enabledFor(t, taxes).CreateFlow(t.Context(), operator, similar, flow.Details{})
		assert.Error(t, err, similar)
		assert.NotErrorIs(t, err, flow.ErrSimilarService, "what exists is not revealed to who is not enabled")
	}
}
