package xlsx

import (
	"archive/zip"
	"context"
	"errors"
	"io"
	"path"
	"strings"
)

// Limits bounds what a workbook may cost. All of them have to be set.
type Limits struct {
	Unpacked int64 // bytes of the whole workbook, unpacked
	Strings  int64 // bytes of the shared strings, which are held in memory
	Columns  int   // the last column that may hold something
	Cell     int   // UTF-16 code units in a cell
}

// maxParts is how many parts an archive may have.
const maxParts = 10_000

// maxSmallPart bounds the parts that describe the workbook.
const maxSmallPart = 16 << 20

// maxDirectory is how many bytes of the directory of an archive are read, so that it
// cannot cost memory before its parts are counted.
const maxDirectory = 4 << 20

// meteredReaderAt refuses to read more than it was allowed to, until that is lifted.
type meteredReaderAt struct {
	io.ReaderAt
	left   int64
	lifted bool
}

func (r *meteredReaderAt) lift() { r.lifted = true }

func (r *meteredReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if !r.lifted {
		if r.left -= int64(len(p)); r.left < 0 {
			return 0, fault(Archive, ErrLimit, "the archive has too many parts")
		}
	}
	return r.ReaderAt.ReadAt(p, off)
}

// Kind is what the parts of an archive make it.
type Kind uint8

// The kinds of archives.
const (
	AnyArchive     Kind = iota
	OfficeBook          // a workbook in the Office Open XML format
	BinaryBook          // a workbook in the binary variant of it
	OfficeDocument      // another document in that format
	OpenBook            // a spreadsheet in the OpenDocument format
)

// KindOf returns what an archive is, by the names of its parts. Bytes before the archive do not
// matter; [Open] refuses them.
func KindOf(r io.ReaderAt, size int64, l Limits) (Kind, error) {
	a, err := openArchive(context.Background(), r, size, l)
	if err != nil {
		return AnyArchive, err
	}
	has := func(name string) bool { return a.file(name) != nil }
	switch {
	case has("content.xml") && has("mimetype"):
		return OpenBook, nil
	case has("xl/workbook.bin"):
		return BinaryBook, nil
	case has("word/document.xml") || has("ppt/presentation.xml"):
		return OfficeDocument, nil
	case has("_rels/.rels") || has("[content_types].xml"):
		return OfficeBook, nil
	}
	return AnyArchive, nil
}

// checkBeginning refuses bytes before the archive, with which one reader may find other parts than
// another.
func checkBeginning(r io.ReaderAt) error {
	var magic [4]byte
	if n, err := r.ReadAt(magic[:], 0); n < len(magic) && err != nil && err != io.EOF {
		return err
	}
	if string(magic[:]) != "PK\x03\x04" && string(magic[:]) != "PK\x05\x06" {
		return fault(Archive, ErrPrefixed, "the archive does not begin the file")
	}
	return nil
}

// archive is the zip file that a workbook is, its parts by their names in lower case.
type archive struct {
	ctx    context.Context
	parts  map[string]*zip.File
	limits Limits
}

func openArchive(ctx context.Context, r io.ReaderAt, size int64, l Limits) (*archive, error) {
	directory := &meteredReaderAt{ReaderAt: r, left: maxDirectory}
	reader, err := zip.NewReader(directory, size)
	directory.lift()
	var f *Fault
	if errors.As(err, &f) {
		return nil, err
	}
	if err != nil {
		f = fault(Archive, ErrTruncated, "the directory at the end of the archive cannot be read")
		if errors.Is(err, zip.ErrAlgorithm) {
			f.Err = ErrMalformed
		}
		f.Cause = err
		return nil, f
	}
	if len(reader.File) > maxParts {
		return nil, fault(Archive, ErrLimit, "the archive has too many parts")
	}
	a := &archive{ctx: ctx, parts: make(map[string]*zip.File, len(reader.File)), limits: l}
	var packed, unpacked uint64
	for _, file := range reader.File {
		name := strings.ReplaceAll(file.Name, `\`, "/") // as some programs of Windows write it
		switch {
		case strings.HasSuffix(name, "/"):
			continue // a folder
		case name == "" || name[0] == '/' || strings.IndexByte(name, 0) >= 0 || path.Clean(name) != name || strings.HasPrefix(name, "../") || name == "..":
			return nil, fault(Archive, ErrUnsafe, "a part has a name that leads out of the archive")
		case file.Flags&1 != 0:
			return nil, fault(Archive, ErrMalformed, "a part is encrypted")
		}
		key := strings.ToLower(name)
		if a.parts[key] != nil {
			return nil, fault(Archive, ErrMalformed, "two parts have the same name")
		}
		a.parts[key] = file
		packed += file.CompressedSize64
		unpacked += file.UncompressedSize64
		if packed > uint64(size) || file.CompressedSize64 > uint64(size) {
			return nil, fault(Archive, ErrUnsafe, "parts lie over one another")
		}
		if unpacked > uint64(l.Unpacked) || file.UncompressedSize64 > uint64(l.Unpacked) {
			return nil, fault(Archive, ErrLimit, "the workbook is too large when unpacked")
		}
	}
	return a, nil
}

// file returns a part by its name, nil if there is none.
func (a *archive) file(name string) *zip.File { return a.parts[strings.ToLower(name)] }

// open unpacks a part, at most limit bytes of it.
func (a *archive) open(file *zip.File, part Part, limit int64) (io.ReadCloser, error) {
	if file.UncompressedSize64 > uint64(limit) {
		return nil, fault(part, ErrLimit, "the part is too large")
	}
	r, err := file.Open()
	if err != nil {
		f := fault(part, ErrMalformed, "the part cannot be unpacked")
		f.Cause = err
		return nil, f
	}
	return &limitedReader{ReadCloser: r, ctx: a.ctx, part: part, left: limit}, nil
}

// limitedReader refuses to unpack more than was said, whatever the directory said, and
// ends with the context.
type limitedReader struct {
	io.ReadCloser
	ctx  context.Context
	part Part
	left int64
}

func (r *limitedReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, &contextError{context.Cause(r.ctx)}
	}
	n, err := r.ReadCloser.Read(p)
	if r.left -= int64(n); r.left < 0 {
		return 0, fault(r.part, ErrLimit, "the part is too large")
	}
	return n, err
}

// contextError carries the reason of a context that ended through the unpacking.
type contextError struct{ cause error }

func (e *contextError) Error() string { return e.cause.Error() }

// each scans a whole part and calls visit for each start tag. Visit may go on in the
// part by itself.
func (a *archive) each(file *zip.File, part Part, limit int64, visit func(*scanner) error) (err error) {
	r, err := a.open(file, part, limit)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	s := newScanner(r, part, 32<<10)
	for {
		switch err = s.next(); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		switch s.kind {
		case startTag:
			err = visit(s)
		case charData:
			err = s.checkText()
		}
		if err != nil {
			return err
		}
	}
}
