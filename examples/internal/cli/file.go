package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

// ErrNotRegular is the error of [OpenRegular] for what has no size and no positions, such as a pipe.
var ErrNotRegular = errors.New("not a regular file")

// File is a file to be read. Once its context has ended, reading ends with the error of the context,
// also from a pipe.
type File struct {
	*os.File
	ctx context.Context
}

// Read implements [io.Reader].
func (f *File) Read(p []byte) (int, error) {
	if err := f.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := f.File.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) && f.ctx.Err() != nil {
		err = f.ctx.Err()
	}
	return n, err
}

// WriteTo hides the method of [os.File], which would bypass Read.
func (f *File) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, struct{ io.Reader }{f}) }

// Open opens a file. If it is a pipe, Open waits until another program opens it to write, or until
// the context ends. Close the file.
func Open(ctx context.Context, name string) (*File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, err := openUntil(ctx, name)
	if err != nil {
		return nil, err
	}
	// A pipe has deadlines. A regular file has none, and needs none.
	context.AfterFunc(ctx, func() { _ = file.SetReadDeadline(time.Unix(1, 0)) })
	return &File{file, ctx}, nil
}

// OpenRegular opens a file that can be read from any position. The error of a pipe or a folder is an
// [ErrNotRegular]; then nothing was opened.
func OpenRegular(ctx context.Context, name string) (*File, error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "open", Path: name, Err: ErrNotRegular}
	}
	return Open(ctx, name)
}

// openUntil is os.Open, which a context ends if the file is a pipe.
func openUntil(ctx context.Context, name string) (*os.File, error) {
	if info, err := os.Stat(name); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		return os.Open(name)
	}
	type opened struct {
		file *os.File
		err  error
	}
	done := make(chan opened, 1)
	go func() {
		file, err := os.Open(name)
		done <- opened{file, err}
	}()
	select {
	case o := <-done:
		return o.file, o.err
	case <-ctx.Done():
	}
	for range 100 { // opening ends once there is a writer
		if writer, err := os.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			_ = writer.Close()
		}
		select {
		case o := <-done:
			if o.err == nil {
				_ = o.file.Close()
			}
			return nil, ctx.Err()
		case <-time.After(time.Millisecond): // the goroutine has not begun to open it
		}
	}
	return nil, ctx.Err() // the pipe was removed: the goroutine ends with the program
}
