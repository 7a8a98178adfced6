/** The command of moto, a server that speaks S3 and keeps everything in memory, and its virtual environment. */
export const OBJECT_STORE = { command: "moto_server", venv: "moto-venv", variable: "WINNOW_MOTO" };
