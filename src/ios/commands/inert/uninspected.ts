/** Inspected protocols whose sessions are not opened here: without `tcp` or `udp` their return traffic stays out. */
export const UNINSPECTED = `
  802-11-iapp ace-svr aol appleqtc bgp biff bittorrent bootpc bootps cddbp cifs cisco-fna cisco-net-mgmt cisco-svcs
  cisco-sys cisco-tdp cisco-tna citrix citriximaclient clp creativepartnr creativeserver cuseeme daytime dbase
  dbcontrol_agent ddns-v3 dhcp-failover directconnect discard dns dnsix echo edonkey entrust-svc-handler entrust-svcs
  exec fasttrack fcip-port finger ftps gdoi giop gnutella gopher gtpv0 gtpv1 h225ras h323 h323-annexe h323-nxg
  h323callsigalt hp-alarm-mgr hp-collector hp-managed-node hsrp https ica icabrowser ident igmpv3lite im imap3 imaps
  ipass ipsec-msft ipx irc irc-serv ircs ircu isakmp iscsi iscsi-target kazaa kazaa2 kerberos kermit l2tp ldap ldap-admin
  ldaps login lotusmtap lotusnote mgcp microsoft-ds ms-cluster-net ms-dotnetster ms-sna ms-sql ms-sql-m msexch-routing
  msnmsgr mysql n2h2server ncp net8-cman netbios-dgm netbios-ns netbios-ssn netshow netstat nfs nntp ntp oem-agent oracle
  oracle-em-vp oraclenames orasrv pcanywheredata pcanywherestat pop3s pptp pwdgen qmtp r-winsock radius rcmd
  rdb-dbs-disp realaudio realmedia realsecure rpc rsvd rsvp-encap rsvp_tunnel rtc-pm-port rtelnet rtsp send shell sip
  sip-tls skinny sms snmp snmptrap socks sqlnet sqlserv sqlsrv ssh sshell ssp streamworks stun syslog syslog-conn tacacs
  tacacs-ds tarantella telnet telnets tftp time timed tr-rsrb ttc uucp vdolive vqp webster who winmsgr wins x11 xdmcp
  ymsgr
`
  .trim()
  .split(/\s+/);
