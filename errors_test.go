package flussi_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
)

func TestErrorsNameTheirPlace(t *testing.T) {
	_, err := flussi.ParseFiscalCode("1SSMRA80A01H501U")
	assert.EqualError(t, err, "flussi: FiscalCode: character not allowed at position 1")
	_, err = flussi.ParseFiscalCode("")
	assert.EqualError(t, err, "flussi: FiscalCode: no text")
	_, err = flussi.ParseCents("1.234")
	assert.EqualError(t, err, "flussi: Cents: can be read in two ways: 1.234,00 € or 1,234 €")
}

func TestExplain(t *testing.T) {
	_, noCode := flussi.ParseFiscalCode("")
	_, noNumber := flussi.ParseNoticeNumber("")
	const general = "Errore imprevisto: rivolgersi all'assistenza."
	const configuration = "Il programma non è configurato correttamente: rivolgersi a chi lo gestisce."
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"no error":                {nil, ""},
		"an error that explains":  {noCode, "Manca il codice fiscale."},
		"a wrapped one":           {fmt.Errorf("row 7: %w", noCode), "Manca il codice fiscale."},
		"joined ones":             {errors.Join(noCode, fmt.Errorf("x: %w", noNumber)), "Manca il codice fiscale. Manca il numero avviso."},
		"joined with another":     {errors.Join(errors.New("disk full"), noCode), "Manca il codice fiscale."},
		"one that does not":       {errors.New("disk full"), general},
		"wrapped, that does not":  {fmt.Errorf("x: %w", errors.New("disk full")), general},
		"wrapping nothing at all": {fmt.Errorf("x: %w", nil), general},
		"a configuration":         {fmt.Errorf("x: %w: pool is nil", flussi.ErrConfig), configuration},
		"one of an operation":     {&flussi.Error{Package: "flow", Operation: "x", Err: fmt.Errorf("%w: y", flussi.ErrConfig)}, configuration},
		"one that explains":       {fmt.Errorf("x: %w: %w", flussi.ErrConfig, noCode), "Manca il codice fiscale."},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, flussi.Explain(test.err)) })
	}
}
