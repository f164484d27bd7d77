package noticeexcel_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/noticeexcel"
)

// No error and no report holds a code or a text of the file.
func TestErrorsAndReportsHoldNothingPersonal(t *testing.T) {
	secrets := []string{"MSCMHL68P18", "RSSMRA80A01", "segret", "301005100001"}
	nothing := func(t *testing.T, values ...any) {
		t.Helper()
		leaktest.Check(t, secrets, values...)
	}
	good := func(n int) map[string]any {
		return map[string]any{exceltest.Ref("A", n): pupil, exceltest.Ref("B", n): "Segreti Sara", exceltest.Ref("D", n): guardian, exceltest.Ref("I", n): "rif-segreto"}
	}
	for name, wrong := range map[string]map[string]any{
		"debtor": {"A2": "MSCMHL68P18H21"}, "strange debtor": {"A2": "RSSMRA80A01H50!"}, "name": {"B2": strings.Repeat("segreto", 99)}, "name of two lines": {"B2": "Segreti\nSara"},
		"kind": {"C2": "segreto"}, "payer": {"D2": "Segreti Sara"}, "staff": {"C2": "personale"}, "instalment": {"E2": "segreto"}, "no such instalment": {"E2": 9},
		"amount": {"F2": "segreto"}, "another amount": {"F2": 12.5}, "discount": {"G2": "segreto"}, "due": {"H2": "segreto"}, "due of all": {"H2": "16/06/2099"},
		"reference": {"I2": strings.Repeat("segreto", 99)}, "unknown column": {"J1": "Colonna segreta", "J2": "segreto", "H2": "16/06/2099"},
		"refused column": {"J1": "IUV", "J2": "segreto"}, "doubled column": {"J1": "Codice fiscale", "J2": "segreto"},
		"notice number": {"J1": "NAV", "J2": "301005100001400678"}, "duplicate": good(3),
	} {
		t.Run(name, func(t *testing.T) {
			all := good(2)
			for ref, value := range wrong {
				all[ref] = value
			}
			w := newWorld(t)
			file := imports(t).Fill(t, all)
			added, report, err := w.add(t, file, pagoinrete.AddConfig{})
			require.Error(t, err)
			nothing(t, err, report, *report, added, noticeexcel.Italian(report, added, 0))
			imports(t).EachError(t, file, added.Errors, func(err error) { nothing(t, err) })
		})
	}
}
