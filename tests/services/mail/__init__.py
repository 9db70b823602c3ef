"""Postfix, Exim, OpenSMTPD and Dovecot of Debian's packages, unpacked into a folder, in a namespace of their own."""
