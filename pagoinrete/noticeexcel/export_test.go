package noticeexcel_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/pagoinrete"
)

func TestAnExportTellsEverythingOfANotice(t *testing.T) {
	plain := pagoinrete.Notice{ID: uuid.MustParse("9e0beb0b-464d-4e91-8de9-2885bccac7d9"), State: pagoinrete.NoticeNotLinked, Instalment: 1, UpdatedBy: "a.verdi",
		NoticeData: pagoinrete.NoticeData{Debtor: person(3), DebtorKind: pagoinrete.DebtorStaff, Amount: 5_000, DueDate: endOfDay(t, 2099, 3, 31)}}
	f, rows := exceltest.Open(t, export(t, exceltest.Given(whole(t), plain)))
	require.Len(t, rows, 3, "no sum: saved as CSV, it would be a row")
	assert.Equal(t, exportHeaders, rows[0])
	assert.Equal(t, []string{
		person(1).Reveal(), "Rossi Maria", "alunno", person(2).Reveal(), "2", "50.00", "5.00", "31/03/2099", "GITA-1", "45.00",
		"7cc0c865-87fd-4002-92ec-7952f211640d", "Pagato", "Pagato (Pagato online)", "Pagato", "301005100001400678", whole(t).IUV().Reveal(),
		"Sì", "Sì", "Sì", "L'avviso risulta pagato più di una volta: verificare e, se confermato, disporre il rimborso.", "Sì", "Importo non ammesso.", "PIR-1", "a.verdi", "28/02/2099 17:47:53",
		"RT-1", "45.00", "01/04/2099", "RIV-1", "45.01", "02/04/2099", "OIL-1", "45.02", "03/04/2099", "m.neri",
		"BOLL-1", "45.03", "04/04/2099", "l.bianchi", "MAND-1", "45.04", "05/04/2099", "p.verdi",
	}, rows[1])
	assert.Equal(t, []string{
		person(3).Reveal(), "", "personale", "", "1", "50.00", "0.00", "31/03/2099", "", "50.00",
		"9e0beb0b-464d-4e91-8de9-2885bccac7d9", "Non collegato a Pago in Rete", "Non collegato a Pago in Rete", "Non collegato a Pago in Rete", "", "",
		"No", "No", "No", "", "No", "", "", "a.verdi",
	}, rows[2])

	// Typed: amounts and dates are numbers, codes are text.
	exceltest.CheckTypes(t, f, []string{"A2", "O2", "P2"}, []string{"F2", "H2"})
}

// Each state has its three names.
func TestAnExportNamesEveryStateForEachAudience(t *testing.T) {
	for _, state := range []pagoinrete.NoticeState{pagoinrete.NoticeNotLinked, pagoinrete.NoticeNotNotified, pagoinrete.NoticeNotified, pagoinrete.NoticeAwaitingReceipt,
		pagoinrete.NoticePaidOnline, pagoinrete.NoticePaidManually, pagoinrete.NoticeConfirmed, pagoinrete.NoticeReconciled, pagoinrete.NoticeReconciledManually,
		pagoinrete.NoticeCancelled, pagoinrete.NoticeRefunded} {
		n := whole(t)
		n.State = state
		_, rows := exceltest.Open(t, export(t, exceltest.Given(n)))
		labels := state.Labels()
		assert.Equal(t, []string{labels.Macro, labels.School, labels.Family}, rows[1][11:14])
	}
}

// Who opens an export months later finds in it what it is for.
func TestAnExportsGuideSaysThatItIsToBeRead(t *testing.T) {
	f, _ := exceltest.Open(t, export(t, exceltest.Given(whole(t))))
	guide, text := exceltest.Guide(t, f)
	for _, header := range exportHeaders {
		require.Contains(t, guide, header)
		assert.Equal(t, "No, sola lettura", guide[header][1], header)
		assert.Greater(t, len(guide[header][2]), 7, header)
	}
	assert.Contains(t, text, "Il file non si può importare")
	assert.NotContains(t, text, "Si compila il foglio")
}

// Whatever is in a store can be exported, whoever put it there.
func TestAnyNoticeCanBeExported(t *testing.T) {
	strange := whole(t)
	strange.State, strange.DebtorKind, strange.Discrepancy.Kind, strange.Discrepancy.State = "frozen", "guest", "melted", "thawed"
	strange.DueDate = time.Date(1800, 1, 1, 12, 0, 0, 0, time.UTC)
	strange.Instalment, strange.Amount, strange.Discount = -1, -500, 1<<60
	strange.DebtorName = flussi.NewText("=cmd|' /C calc'!A0\x01")
	strange.Evidence.Receipt.Amount = -1
	_, rows := exceltest.Open(t, export(t, exceltest.Given(strange, pagoinrete.Notice{})))
	require.Len(t, rows, 3)
	assert.Equal(t, "guest", rows[1][2])
	assert.Equal(t, "frozen", rows[1][12])
	assert.True(t, strings.HasPrefix(rows[1][1], "=cmd|"), "a text, no formula")
}

func TestAnExportEndsWithTheSequencesError(t *testing.T) {
	down := errors.New("database down")
	err := template(t).Export(t.Context(), io.Discard, func(yield func(pagoinrete.Notice, error) bool) {
		if yield(whole(t), nil) {
			yield(pagoinrete.Notice{}, down)
		}
	})
	assert.Equal(t, down, err)
}

// An export is refused as an import whoever has saved it.
func TestAnExportIsRefusedWhoeverHasSavedIt(t *testing.T) {
	files := map[string][]byte{"ours": export(t, exceltest.Given(whole(t)))}
	files["excelize"] = exceltest.Edit(t, files["ours"], nil)
	if exceltest.HasLibreOffice() { // the gate has it
		files["LibreOffice's CSV"] = exceltest.LibreOffice(t, "csv", "avvisi.xlsx", files["ours"])
	}
	for name, file := range files {
		rows, errs, report := imports(t).Read(t, file)
		assert.Empty(t, rows, name)
		require.Len(t, errs, 1, name)
		assert.Contains(t, report.Italian(), "Il file è un'esportazione", name)
	}
}
