// `make certs`: a development authority, and a certificate of each service, in .data/certs or DIR, and the authority with which charger-service
// signs certificates of chargers, and the certificate of its port for them. What ends within 30 days is made anew, and services that run take it up by themselves. HOSTS are the names and addresses, separated by commas, by which others reach them.

import { parseArgs } from "node:util";
import { keepCertificates, keepChargersAuthority, keepOcppCertificate } from "./certs/keep.ts";

const { values } = parseArgs({ options: { dir: { type: "string" }, hosts: { type: "string" } } });
const dir = values.dir || ".data/certs";
const hosts = (values.hosts ?? "").split(",").flatMap((host) => host.trim() || []);

const now = new Date();
const services = await keepCertificates(dir, hosts, now);
const chargers = `${dir}/charger-service`;
const ofChargers = [await keepChargersAuthority(chargers, now), await keepOcppCertificate(chargers, hosts, now)];

for (const { name, isNew, notAfter } of [...services, ...ofChargers.map((kept) => ({ ...kept, name: `charger-service/${kept.name}` }))]) {
  console.log(`${dir}/${name}`.padEnd(36), isNew ? "made, " : "kept, ", `until ${notAfter.toISOString().slice(0, 10)}`);
}
console.log(`\nMESH_CERTS=${dir} makes the services use them. ${dir}/ca.key signs more: keep it away from them.`);
console.log(`OCPP_CA_CERT and OCPP_CA_KEY are for ${chargers}/chargers-ca.crt and .key,`);
console.log(`CHARGER_OCPP_TLS_CERT and CHARGER_OCPP_TLS_KEY for ${chargers}/ocpp.crt and .key.`);
