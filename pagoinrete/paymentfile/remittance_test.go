package paymentfile_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

func TestCausaliAreReadAsBanksWriteThem(t *testing.T) {
	const id = "2030-03-04PSPXITR1XXX-F000123456"
	whole := func(ids ...string) paymentfile.Remittance { return paymentfile.Remittance{IDs: ids, Progress: -1} }
	doubtful := func(prefix string, ids ...string) paymentfile.Remittance {
		return paymentfile.Remittance{IDs: ids, Prefix: prefix, Progress: -1}
	}
	cut := func(prefix string) paymentfile.Remittance {
		return paymentfile.Remittance{Prefix: prefix, Cut: true, Progress: -1}
	}
	further := func(r paymentfile.Remittance, progress int, further bool) paymentfile.Remittance {
		r.Progress, r.Supplementary = progress, further
		return r
	}
	single := func(reference string, amount flussi.Cents) paymentfile.Remittance {
		return paymentfile.Remittance{Reference: paymentfile.NewReference(reference), Amount: amount, Progress: -1}
	}
	cutSingle := func(reference string) paymentfile.Remittance {
		return paymentfile.Remittance{Reference: paymentfile.NewReference(reference), Cut: true, Progress: -1}
	}
	for name, c := range map[string]struct {
		causale string
		want    paymentfile.Remittance
	}{
		"the usual form":                             {"/PUR/LGPE-RIVERSAMENTO/URI/" + id, doubtful(id, id)},
		"cumulative":                                 {"/PUR/LGPE-RIVERSAMENTO Cumulativo pagamenti del 20300304/URI/" + id, doubtful(id, id)},
		"integrative":                                {"/PUR/LGPE-RIVERSAMENTO Integrativo 2 pagamenti del 20300304/URI/" + id, further(doubtful(id, id), -1, true)},
		"the first transfer":                         {"/PUR/LGPE-RIVERSAMENTO/TXT/0/URI/" + id, further(doubtful(id, id), 0, false)},
		"a further transfer":                         {"/PUR/LGPE-RIVERSAMENTO/TXT/7/URI/" + id, further(doubtful(id, id), 7, true)},
		"a field follows":                            {"/PUR/LGPE-RIVERSAMENTO/URI/" + id + "/ZZ4/4184", whole(id)},
		"words follow":                               {"RI1/PUR/LGPE-RIVERSAMENTO/URI/" + id + " ACCREDITO BOLLETTINO P.A.", doubtful(id, id)},
		"words before":                               {"ORD: BANCA DEMO ZZ3Comune Demo/PUR/LGPE-RIVERSAMENTO/URI/" + id + "/", whole(id)},
		"the prefix was lost":                        {"RIVERSAMENTO/URI/" + id, doubtful(id, id)},
		"all of the prefix was lost":                 {"BONIFICO /URI/" + id, doubtful(id, id)},
		"an underscore":                              {"/PUR/LGPE-RIVERSAMENTO/URI/2030-03-04DEMO_PSP-1_2/", whole("2030-03-04DEMO_PSP-1_2")},
		"35 characters":                              {"/PUR/LGPE-RIVERSAMENTO/URI/2030-03-04PSPXITR1XXX-F000123456789", whole("2030-03-04PSPXITR1XXX-F000123456789")},
		"35 characters and a dash":                   {"RIVERSAMENTO/URI/2030-03-04PSPXITR1XXX-F000123456789- Demo", whole("2030-03-04PSPXITR1XXX-F000123456789", "2030-03-04PSPXITR1XXX-F000123456789-")},
		"dots for slashes":                           {".PUR.LGPE-RIVERSAMENTO.URI." + id + ".", whole(id)},
		"blanks for slashes and in the date":         {"LGPE- RIVERSAMENTO URI 2030-03- 04PSPXITR1XXX-F000123456", doubtful(id, id)},
		"blanks in the words":                        {"L GPE-RIVERSA MENTO U RI 2030- 03-04PSPXITR1XXX-F000123456", doubtful(id, id)},
		"lower case":                                 {"/pur/lgpe-riversamento/uri/" + id, doubtful(id, id)},
		"a line break in the date":                   {"/PUR/LGPE-RIVERSAMENTO/URI/2030-\r\n03-04PSPXITR1XXX-F000123456", doubtful(id, id)},
		"a blank behind the date":                    {"ACCREDITI VARI LGPE-RIVERSAMENTO/URI/2030-03-04 DEMO12", doubtful("2030-03-04", "2030-03-04DEMO12")},
		"a word behind the date":                     {"/PUR/LGPE-RIVERSAMENTO/URI/2030-03-04 ROSSI MARIO", cut("2030-03-04")},
		"a dash at the end":                          {"URI NOT PROVIDED RIVERSAMENTO/URI/" + id + "- Demo S.p.A. DA BANCA", doubtful(id+"-", id, id+"-")},
		"a dash at the end, and a slash":             {"/PUR/LGPE-RIVERSAMENTO/URI/" + id + "-/TXT", whole(id, id+"-")},
		"an echo that was cut":                       {"/PUR/LGPE-RIVERSAMENTO/URI/" + id + " .PUR.LGPE-RIVERSAMENTO.URI.2030-03- TRXID: 123", doubtful(id, id)},
		"an echo that is whole":                      {"/PUR/LGPE-RIVERSAMENTO/URI/2030-03- /PUR/LGPE-RIVERSAMENTO/URI/" + id + "/", whole(id)},
		"an echo that was cut in the id":             {"/PUR/LGPE-RIVERSAMENTO/URI/" + id + "/ .PUR.LGPE-RIVERSAMENTO.URI." + id[:20], whole(id)},
		"a beginning before the whole":               {"/PUR/LGPE-RIVERSAMENTO/URI/" + id[:25] + " /PUR/LGPE-RIVERSAMENTO/URI/" + id + "/", whole(id)},
		"two settlements":                            {"/PUR/LGPE-RIVERSAMENTO/URI/" + id + "/ /PUR/LGPE-RIVERSAMENTO/URI/2030-03-05PSPXITR1XXX-1/", whole(id, "2030-03-05PSPXITR1XXX-1")},
		"cut in the date":                            {"/PUR/LGPE-RIVERSAMENTO/URI/2", cut("2")},
		"cut behind the month":                       {"/PUR/LGPE-RIVERSAMENTO/URI/2030-03-", cut("2030-03-")},
		"cut behind the date":                        {"/PUR/LGPE-RIVERSAMENTO/URI/2030-03-04", cut("2030-03-04")},
		"cut behind the PSP":                         {"/PUR/LGPE-RIVERSAMENTO/URI/2030-03-04PSPXITR1XXX-", cut("2030-03-04PSPXITR1XXX-")},
		"cut in the PSP":                             {"/PUR/LGPE-RIVERSAMENTO/URI/2030-03-04PSPXI", doubtful("2030-03-04PSPXI", "2030-03-04PSPXI")},
		"cut before the id":                          {"/PUR/LGPE-RIVERSAMENTO/UR", cut("")},
		"cut in RIVERSAMENTO":                        {"ACCREDITO /PUR/LGPE-RIVERSAM", cut("")},
		"cut before URI, with blanks":                {"L GPE - RIVERSAMENTO", cut("")},
		"no id behind URI":                           {"/PUR/LGPE-RIVERSAMENTO/URI/", cut("")},
		"words were joined to it":                    {"/PUR/LGPE-RIVERSAMENTO/URI/" + id + "ACCREDITO", cut("2030-03-04")},
		"URI of another program":                     {"BONIFICO URI 2030-03 URI NOT PROVIDED", paymentfile.Remittance{Progress: -1}},
		"nothing of pagoPA":                          {"Retta mensa, saldo del 2030-03-04", paymentfile.Remittance{Progress: -1}},
		"nothing":                                    {"", paymentfile.Remittance{Progress: -1}},
		"a single payment":                           {"/RFB/0123456789012345/12.34/TXT/Richiesta", single("0123456789012345", 1234)},
		"a single payment, with dots":                {".RFB.01234567890123456.12.34.TXT.Richiesta", single("01234567890123456", 1234)},
		"a single payment, with a comma":             {"/RFB/01234567890123456/1234,50", single("01234567890123456", 123450)},
		"a single payment, wrapped":                  {"CRED /RFB/0123456789 0123456/12.34", single("01234567890123456", 1234)},
		"a single payment, RF, in groups":            {"/RFS/RF18 5390 0754 7034/45.56/", single("RF18539007547034", 4556)},
		"a single payment, cut in the amount":        {"/RFB/01234567890123456/12.", cutSingle("01234567890123456")},
		"a single payment, cut":                      {"/RFB/0123456789", cutSingle("0123456789")},
		"a single payment, of which nothing is left": {"ACCREDITO /RFB/", cutSingle("RFB")},
		"a single payment of a name":                 {"/RFB/ROSSI MARIO/12.34", cutSingle("RFB")},
		"a single payment, cut before a name":        {"/RFS/RF18 5390 ROSSI MARIO", cutSingle("RF185390")},
		"a cut one beside a settlement":              {"/RFB/0123 /PUR/LGPE-RIVERSAMENTO/URI/" + id + "/", whole(id)},
	} {
		t.Run(name, func(t *testing.T) {
			got := paymentfile.ParseRemittance(flussi.NewText(c.causale))
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.want.IsZero(), got.IsZero())
		})
	}
}

// The bank's other fields are used only if the causale was cut.
func TestOtherFieldsCompleteACutCausale(t *testing.T) {
	const id = "2030-03-04PSPXITR1XXX-F000123456"
	m := paymentfile.Movement{Causale: flussi.NewText("/PUR/LGPE-RIVERSAMENTO/URI/2030-03-04PSP"), BankData: flussi.NewText("1/PUR/LGPE-RIVERSAMENTO/URI/" + id + "/")}
	assert.Equal(t, paymentfile.Remittance{IDs: []string{id}, Progress: -1}, m.Remittance())
	m = paymentfile.Movement{Causale: m.BankData, BankData: m.Causale, EndToEndID: flussi.NewText("/RFB/01234567890123456/12.34")}
	assert.Equal(t, paymentfile.Remittance{IDs: []string{id}, Progress: -1}, m.Remittance())
}
