import type { AdmitExternalUserRequest, AdmitExternalUserResponse } from "@chargemesh/contracts/auth/v1/identity_service";
import { User_Role } from "@chargemesh/contracts/auth/v1/user";
import { badRequest } from "@chargemesh/kit/errors";
import { admitExternalUser as admit } from "../domain/external-user.ts";
import { toUser } from "../resources.ts";
import type { TokenDeps } from "./token-services.ts";

export const admitExternalUser =
  (deps: TokenDeps) =>
  async ({ role, ...person }: AdmitExternalUserRequest): Promise<AdmitExternalUserResponse> => {
    if (role === User_Role.ROLE_UNSPECIFIED || role === User_Role.UNRECOGNIZED) {
      throw badRequest([{ field: "role", description: "is required" }]);
    }
    const user = await admit(deps, { ...person, role });
    return { user: user && toUser(user) };
  };
