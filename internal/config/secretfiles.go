package config

import (
	"errors"
	"io/fs"
	"strings"
)

// fileSuffix makes the name of the variable that names the file of a secret.
const fileSuffix = "_FILE"

// secretFileMax bounds a secret's file in bytes. Headers are refused long before
// that size; the bound is there for a path such as /dev/zero.
const secretFileMax = 64 << 10

// readSecret returns the content of the file at path without the line ends at its
// end, which editors and `echo` leave there. An empty file is an error and not
// "unset": a token file that lost its content must not open the door.
// The error tells what is wanted and quotes neither path nor content.
func readSecret(path string) (string, error) {
	content, err := readUpTo(path, secretFileMax)
	if err != nil {
		return "", err
	}
	text := strings.TrimRight(content, "\r\n")
	if text == "" {
		return "", errors.New("want a file that is not empty")
	}
	return text, nil
}

// reason strips the path from an error about a file: it is printed beside it, or not at all.
func reason(err error) error {
	if pathError := (*fs.PathError)(nil); errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
