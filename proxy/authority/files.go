package authority

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Types of PEM blocks (RFC 7468).
const (
	blockCertificate = "CERTIFICATE"
	blockKey         = "PRIVATE KEY"
)

// checkPrivate refuses a file or directory that is not of this kind, not ours, or
// open to others.
func checkPrivate(path string, kind fs.FileMode) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case info.Mode().Type() != kind:
		return fmt.Errorf("%s is not what it should be: its mode is %v", path, info.Mode())
	case isOpen(info):
		return fmt.Errorf("%s must be its owner's alone, who must be the user that Outrigger runs as: its mode is %v", path, info.Mode())
	}
	return nil
}

// encode returns key and certificate in PEM.
func encode(der []byte, key *ecdsa.PrivateKey) ([]byte, error) {
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return append(
		pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: secret}),
		pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: der})...), nil
}

// read returns what encode made. No error quotes the content.
func read(path string) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	if err := checkPrivate(path, 0); err != nil {
		return nil, nil, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	secret, rest := pem.Decode(content)
	public, _ := pem.Decode(rest)
	if secret == nil || public == nil || secret.Type != blockKey || public.Type != blockCertificate {
		return nil, nil, fmt.Errorf("%s is damaged: remove it, start again, and have the apps trust the new certificate", path)
	}
	cert, err := x509.ParseCertificate(public.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(secret.Bytes)
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok || !key.PublicKey.Equal(cert.PublicKey) || !cert.IsCA {
		return nil, nil, errors.Join(fmt.Errorf("%s does not hold an authority and its key", path), err)
	}
	return cert, key, nil
}

// publish writes the certificate to path, for everybody to read, unless it is there.
func publish(path string, cert *x509.Certificate) error {
	content := pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: cert.Raw})
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, content) {
		return nil
	}
	return write(path, content, 0o644)
}

// write replaces the file at path as a whole: nobody ever sees a part of it.
func write(path string, content []byte, mode fs.FileMode) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*") // readable by its owner alone
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Chmod(mode), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}
