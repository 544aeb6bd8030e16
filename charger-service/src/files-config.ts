import type { Env } from "@chargemesh/kit/config";

/** The settings of the files that chargers upload and fetch. */
export function readFilesConfig(env: Env) {
  const firmwareKey = env.optional("OCPP_FIRMWARE_KEY");
  const firmwareCertificate = env.optional("OCPP_FIRMWARE_CERT");
  if ((firmwareKey === undefined) !== (firmwareCertificate === undefined)) {
    env.fault("OCPP_FIRMWARE_KEY and OCPP_FIRMWARE_CERT must be set together");
  }
  return {
    /** Where chargers reach this service by HTTP; undefined: where it listens. */
    publicUrl: env.parsed<string | undefined>("OCPP_PUBLIC_URL", readPublicUrl, undefined),
    folder: env.string("OCPP_FILES_DIR", ".data/files"),
    s3: readS3(env),
    uploadBytesMax: env.integer("OCPP_UPLOAD_BYTES_MAX", 268_435_456, { min: 1, max: 2 ** 40 }),
    /** How long a URL is good. */
    urlHours: env.integer("OCPP_FILE_URL_HOURS", 24, { min: 1, max: 720 }),
    /** Files, as PEM. */
    firmwareKey,
    firmwareCertificate,
  };
}

export type FilesConfig = ReturnType<typeof readFilesConfig>;

function readPublicUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) throw new Error("must be a URL of http or https");
  return text.replace(/\/+$/, "");
}

function readS3(env: Env) {
  const bucket = env.optional("OCPP_S3_BUCKET");
  const accessKeyId = env.optional("OCPP_S3_ACCESS_KEY_ID");
  const secretAccessKey = env.optional("OCPP_S3_SECRET_ACCESS_KEY");
  const settings = { region: env.string("OCPP_S3_REGION", "us-east-1"), endpoint: env.optional("OCPP_S3_ENDPOINT") };
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    env.fault("OCPP_S3_ACCESS_KEY_ID and OCPP_S3_SECRET_ACCESS_KEY must be set together");
  }
  if (bucket === undefined) return undefined;
  const keys = accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey };
  return { bucket, ...settings, keys };
}
